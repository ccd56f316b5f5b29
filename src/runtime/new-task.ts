import { HoldfastError } from './errors.js';
import { quoted } from './faults.js';
import type { NewTask } from './task.js';
import { encode } from './thread/codec.js';

export interface TaskOptions {
  /**
   * Names the task within its run. Submitting the same id with the same handler
   * and input again gives the outcome of the first; with others, it is refused
   * (`ERR_TASK_CONFLICT`). Default: a name of the queue's own, `#<number>`.
   */
  id?: string;
  /** Higher runs first; equal ones in the order they came. A whole number; default 0. */
  priority?: number;
  /** Milliseconds from the start of an attempt. Default: the executor's `timeout`. */
  timeoutMs?: number;
  /** Tries after the first. Default: the executor's `retries`. */
  retries?: number;
}

/**
 * A task as `submit` and `map` are given it.
 * @throws HoldfastError `ERR_HANDLER_MISSING`, `ERR_INVALID_TASK`, `ERR_VALUE_NOT_CLONEABLE`
 */
export function newTask(
  handlers: ReadonlySet<string>,
  handler: string,
  input: unknown,
  options?: TaskOptions,
): NewTask {
  if (!handlers.has(handler)) {
    throw new HoldfastError('ERR_HANDLER_MISSING', `the module exports no function "${handler}"`, {
      hint: `It exports: ${[...handlers].join(', ') || 'none'}.`,
    });
  }
  if (options !== undefined) checkTaskOptions(options);
  return {
    id: options?.id,
    handler,
    input: encode(input, 'the input'),
    priority: options?.priority ?? 0,
    timeoutMs: options?.timeoutMs,
    retries: options?.retries,
  };
}

function checkTaskOptions({ id, priority, timeoutMs, retries }: TaskOptions): void {
  const refuse = (what: string, wants: string, got: unknown) => {
    throw new HoldfastError('ERR_INVALID_TASK', `${what} wants ${wants}, got ${quoted(got)}`);
  };
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.startsWith('#'))) {
    refuse('a task id', 'a text that is not empty and does not begin with "#"', id);
  }
  if (priority !== undefined && !Number.isSafeInteger(priority)) refuse('priority', 'a whole number', priority);
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    refuse('timeoutMs', 'a number above 0', timeoutMs);
  }
  if (retries !== undefined && !(Number.isSafeInteger(retries) && retries >= 0)) {
    refuse('retries', 'a whole number from 0', retries);
  }
}
