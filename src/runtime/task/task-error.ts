import { HoldfastError, type ErrorCode } from '../../base/errors.js';
import type { OutcomeState, TaskErrorRecord } from './task.js';
import type { TaskOutcome } from './task-outcome.js';
import { errorOf } from './error-classes.js';

const CODES: Record<Exclude<OutcomeState, 'done'>, ErrorCode> = {
  failed: 'ERR_TASK_FAILED',
  crashed: 'ERR_TASK_CRASHED',
  'timed-out': 'ERR_TASK_TIMED_OUT',
  cancelled: 'ERR_TASK_CANCELLED',
};

/** What `submit` rejects with when a task did not end `done`. `cause` is the handler's own error, rebuilt; of a task that was cancelled by a signal, its reason. */
export class TaskError extends HoldfastError {
  override readonly name: string = 'TaskError';
  /** What is recorded of the task. */
  readonly outcome: TaskOutcome;

  /** @param cause default: the recorded error, rebuilt */
  constructor(outcome: TaskOutcome & { state: Exclude<OutcomeState, 'done'> }, cause?: unknown) {
    const { id, handler, state, error } = outcome;
    const reason = error === undefined ? '' : `: ${error.name}: ${error.message}`;
    super(
      CODES[state],
      `task ${id} (${handler}) ${state}${reason}`,
      cause !== undefined ? { cause } : error === undefined ? {} : { cause: rebuild(error) },
    );
    this.outcome = outcome;
  }
}

/**
 * The error as it was in the thread, as far as it was recorded: of its class of
 * the language, with its code, its plain fields and its cause. A class of the
 * handler's own is known by name alone.
 */
function rebuild({ name, message, stack, code, stuckAt, class: of, fields, cause, errors }: TaskErrorRecord): Error {
  const error = errorOf(name, message, { class: of, ...(errors && { errors: errors.map(rebuild) }) });
  const add = (key: string, value: unknown, enumerable: boolean) =>
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  // Without one of its own, that of this very line would lead nowhere.
  add('stack', stack ?? `${name}: ${message}`, false);
  if (cause !== undefined) add('cause', rebuild(cause), false);
  if (code !== undefined) add('code', code, true);
  for (const [key, value] of Object.entries(fields ?? {})) add(key, value, true);
  if (stuckAt !== undefined) add('stuckAt', stuckAt, true);
  return error;
}
