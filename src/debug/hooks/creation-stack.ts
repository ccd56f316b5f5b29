import { fileURLToPath } from 'node:url';
import type { Frame } from '../inspection.js';
import { isInternal } from '../thread-view/internals.js';

/** Frames of a stack that are kept. */
const MAX_FRAMES = 10;

/** Frames that are asked for: those of Node and of holdfast are among them. */
const MAX_TAKEN = 24;

/** Around every task of a Piscina: to whoever uses one, the frames of his own say more. */
const CARRIER = '/node_modules/piscina/dist/';

export interface CreationStack {
  /** The same for the same places. */
  key: string;
  /** The innermost first; without those of Node and of holdfast, which may be all of them. */
  frames: () => Frame[];
}

/** A frame in a file: one of V8 itself, such as `new Promise`, has none. */
interface FileSite {
  file: string;
  site: NodeJS.CallSite;
}

/**
 * The stack above `caller`; `undefined` where it cannot be had.
 *
 * A program's own `Error.prepareStackTrace` is not called, and both settings of
 * `Error` are as before when this returns: no code of others runs in between.
 */
export function creationStack(caller: (...args: never[]) => unknown): CreationStack | undefined {
  const before = SETTINGS.map((name) => Object.getOwnPropertyDescriptor(Error, name));
  try {
    set('stackTraceLimit', MAX_TAKEN);
    set('prepareStackTrace', (_error: unknown, callSites: NodeJS.CallSite[]) => callSites);
    const holder: { stack?: NodeJS.CallSite[] } = {};
    Error.captureStackTrace(holder, caller);
    return toStack(holder.stack!);
  } catch {
    // Somebody has frozen `Error`.
    return undefined;
  } finally {
    SETTINGS.forEach((name, index) => restore(name, before[index]));
  }
}

const SETTINGS = ['stackTraceLimit', 'prepareStackTrace'] as const;

function set(name: (typeof SETTINGS)[number], value: unknown): void {
  Object.defineProperty(Error, name, { value, configurable: true, writable: true });
}

function restore(name: (typeof SETTINGS)[number], before: PropertyDescriptor | undefined): void {
  if (before === undefined) Reflect.deleteProperty(Error, name);
  else Reflect.defineProperty(Error, name, before);
}

function toStack(callSites: readonly NodeJS.CallSite[]): CreationStack {
  const own: FileSite[] = [];
  for (const site of callSites) {
    const url = site.getFileName();
    const file = url?.startsWith('file:') ? fileURLToPath(url) : url;
    if (file && !isInternal(file) && !file.includes(CARRIER) && own.push({ file, site }) === MAX_FRAMES) break;
  }
  return { key: own.map(placeKey).join('\n'), frames: () => own.map(toFrame) };
}

function placeKey({ file, site }: FileSite): string {
  return `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`;
}

function toFrame({ file, site }: FileSite): Frame {
  return {
    name: site.getFunctionName() ?? '',
    place: { file, line: site.getLineNumber() ?? 1, column: site.getColumnNumber() ?? 1 },
  };
}
