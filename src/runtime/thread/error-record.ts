import { inspect, types } from 'node:util';
import type { TaskErrorRecord } from '../task.js';

/** Keeps a runaway message or stack from filling the queue; in characters. */
const MAX_TEXT = 16_384;

/**
 * What is kept of whatever a handler threw. Anything can be thrown, also
 * things whose very properties throw, so nothing here may trust the value.
 */
export function toErrorRecord(thrown: unknown): TaskErrorRecord {
  try {
    // An error of another realm (`node:vm`) is no instance of this one's class.
    if (thrown instanceof Error || types.isNativeError(thrown)) return fromError(thrown);
    return { name: 'NonError', message: clip(`a value that is no Error was thrown: ${inspect(thrown)}`) };
  } catch {
    return { name: 'NonError', message: 'a value that cannot even be inspected was thrown' };
  }
}

function fromError(error: Error): TaskErrorRecord {
  const record: TaskErrorRecord = { name: clip(String(error.name)), message: clip(String(error.message)) };
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') record.code = clip(String(code));
  let stack = typeof error.stack === 'string' ? error.stack : '';
  if (error.cause !== undefined) stack += `\n[cause]: ${inspect(error.cause, { depth: 1 })}`;
  if (stack !== '') record.stack = clip(stack);
  return record;
}

function clip(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length - MAX_TEXT} more characters)`;
}
