import { HoldfastError, type ErrorCode } from './errors.js';
import type { OutcomeState, TaskErrorRecord } from './task.js';
import type { TaskOutcome } from './task-outcome.js';

const CODES: Record<Exclude<OutcomeState, 'done'>, ErrorCode> = {
  failed: 'ERR_TASK_FAILED',
  crashed: 'ERR_TASK_CRASHED',
  'timed-out': 'ERR_TASK_TIMED_OUT',
  cancelled: 'ERR_TASK_CANCELLED',
};

/** What `submit` rejects with when a task did not end `done`. `cause` is the handler's own error, rebuilt. */
export class TaskError extends HoldfastError {
  override readonly name: string = 'TaskError';
  readonly outcome: TaskOutcome;

  constructor(outcome: TaskOutcome & { state: Exclude<OutcomeState, 'done'> }) {
    const { id, handler, state, error } = outcome;
    const reason = error === undefined ? '' : `: ${error.name}: ${error.message}`;
    super(
      CODES[state],
      `task ${id} (${handler}) ${state}${reason}`,
      error === undefined ? {} : { cause: rebuild(error) },
    );
    this.outcome = outcome;
  }
}

/** The error as it was in the thread, as far as it was recorded. */
function rebuild(record: TaskErrorRecord): Error {
  const error = new Error(record.message);
  error.name = record.name;
  // Without one of its own, that of this very line would lead nowhere.
  error.stack = record.stack ?? `${record.name}: ${record.message}`;
  const { code, stuckAt } = record;
  return Object.assign(error, { ...(code !== undefined && { code }), ...(stuckAt !== undefined && { stuckAt }) });
}
