import type { CodePlace } from '../heap/heap-graph.js';
import { evaluate } from '../inspector/evaluate.js';
import type { Session } from '../inspector/session.js';
import type { Builtin } from './in-target.js';

/** An object of another thread, by the name that the inspector has for it. */
export interface RemoteObject {
  type: string;
  value?: unknown;
  objectId?: string;
  description?: string;
}

interface Answer {
  result: RemoteObject;
  exceptionDetails?: { exception?: RemoteObject; text: string };
}

/** Objects that are held for us go by this name, and are let go together. */
export const OBJECT_GROUP = 'holdfast';

/**
 * Runs a function of `in-target.ts` in another thread; it gets what loads modules of Node, and `args`, which are plain data.
 * What runs there is interrupted for it. Rejects with what it threw there.
 */
export function run<Args extends unknown[], Result>(
  session: Session,
  fn: (builtin: Builtin, ...args: Args) => Result,
  args: Args,
  deadlineMs?: number,
): Promise<Result> {
  const given = ['builtin', ...args.map((arg) => JSON.stringify(arg))].join(', ');
  return evaluate<Result>(session, `(${fn.toString()})(${given})`, deadlineMs);
}

/** Runs a function without arguments, and leaves what it gives where it is. */
export async function runAndHold(session: Session, fn: () => object): Promise<RemoteObject> {
  const expression = `(${fn.toString()})()`;
  return resultOf(
    await session.call<Answer>('Runtime.evaluate', { expression, silent: true, objectGroup: OBJECT_GROUP }),
  );
}

/** Calls a function of `in-target.ts` with an object that is held there. */
export async function callWith<Result>(
  session: Session,
  held: RemoteObject,
  fn: (object: never) => Result,
): Promise<Result> {
  const answer = await session.call<Answer>('Runtime.callFunctionOn', {
    objectId: held.objectId,
    functionDeclaration: `function () { return (${fn.toString()})(this); }`,
    returnByValue: true,
    silent: true,
  });
  return resultOf(answer).value as Result;
}

interface Property {
  name: string;
  value?: RemoteObject;
}

/** Its own properties, and those that only the inspector sees, such as `[[FunctionLocation]]`. */
export async function propertiesOf(
  session: Session,
  { objectId }: RemoteObject,
): Promise<{ own: Property[]; internal: Property[] }> {
  const params = { objectId, ownProperties: true };
  type Answer = { result: Property[]; internalProperties?: Property[] };
  const { result, internalProperties = [] } = await session.call<Answer>('Runtime.getProperties', params);
  return { own: result, internal: internalProperties };
}

/** The place that an internal property holds, if there is one of that name. */
export function placeAmong(internal: readonly Property[], name: string): CodePlace | undefined {
  const found = internal.find((property) => property.name === name)?.value?.value;
  if (found === undefined) return undefined;
  const { scriptId, lineNumber, columnNumber } = found as {
    scriptId: string;
    lineNumber: number;
    columnNumber?: number;
  };
  return { scriptId: Number(scriptId), line: lineNumber, column: columnNumber ?? 0 };
}

function resultOf({ result, exceptionDetails }: Answer): RemoteObject {
  if (exceptionDetails === undefined) return result;
  const { exception, text } = exceptionDetails;
  throw new Error(exception?.description?.split('\n', 1)[0] ?? text);
}
