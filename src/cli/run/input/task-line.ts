/** The lines that most task files consist of. */
import { parseExactly, type ExactJson } from '../../../base/json/exact.js';
import { isWellFormed, taskIdFault } from '../../../runtime/task/task-id.js';
import type { Encoded } from '../../../runtime/task/task.js';
import { encode } from '../../../runtime/task/codec.js';
import type { Line } from './lines.js';
import type { SourceTask } from './source.js';

/** How the lines of a task file are read. */
export interface LineRules {
  /** For tasks that name none. */
  handler: string | undefined;
  /** All there are; `undefined` if that is not known. */
  handlers: readonly string[] | undefined;
  /** Whether whole numbers beyond 2^53-1 become BigInts; else they are faults. */
  bigIntegers: boolean;
}

export const MAX_ID_LENGTH = 1024;

const PLAIN_FIELDS: ReadonlySet<string> = new Set(['id', 'handler', 'input']);

/**
 * The task of a line that has no other fields than an input, and perhaps an id
 * and a handler, all of them right; `undefined` for any other line, which is
 * for the schema to judge. Where both give a task, they give the same (there is
 * a test). A run of such tasks need not load the schema, which takes 40 ms.
 */
export function plainTask(line: Line, rules: LineRules): SourceTask | undefined {
  if (line.fault !== undefined) return undefined;
  const json = parseExactly(line.text, rules.bigIntegers);
  const { value } = json;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { id, handler = rules.handler, input } = value as Record<string, unknown>;
  if (Object.keys(value).some((key) => !PLAIN_FIELDS.has(key)) || input === undefined) return undefined;
  if (typeof handler !== 'string' || handler === '' || !isKnown(handler, rules)) return undefined;
  if (id !== undefined && !isPlainId(id)) return undefined;
  return {
    id,
    handler,
    input: encodedInput(input, json),
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
    line: line.number,
  };
}

/** What is JSON already need not be searched for what JSON does not hold. */
export function encodedInput(input: unknown, { isPlain }: ExactJson): Encoded {
  return isPlain ? JSON.stringify(input) : encode(input, 'the input');
}

function isPlainId(id: unknown): id is string {
  return taskIdFault(id) === undefined && (id as string).length <= MAX_ID_LENGTH;
}

function isKnown(handler: string, { handlers }: LineRules): boolean {
  return handlers === undefined ? isWellFormed(handler) : handlers.includes(handler);
}
