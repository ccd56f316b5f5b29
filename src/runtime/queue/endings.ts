/** What is recorded of attempts and tasks that ended without a word of their own. */
import type { EarlierAttempt, OutcomeState, TaskErrorRecord, TaskState } from '../task/task.js';

/** Earlier attempts that are kept of one task, and how much of a text of theirs. */
const KEPT_ATTEMPTS = 5;
const KEPT_CHARACTERS = 200;

export const CANCELLED: TaskErrorRecord = {
  name: 'HoldfastError',
  message: 'the task was cancelled before it ran',
  code: 'ERR_TASK_CANCELLED',
};

/** Whether an outcome of one task may be taken back: what is done is not done again. */
export function isRetriable(state: TaskState): state is Exclude<OutcomeState, 'done'> {
  return state === 'failed' || state === 'crashed' || state === 'timed-out' || state === 'cancelled';
}

/** @param signal that ended the process, if it was one and somebody saw it */
export function crashedWithProcess(crashes: number, signal?: string): TaskErrorRecord {
  const how = signal === undefined ? '' : `${signal}, `;
  return {
    name: 'HoldfastError',
    message: `the thread or the process died while the task ran alone (${how}crashes: ${crashes})`,
    code: 'ERR_TASK_CRASHED',
    ...(signal !== undefined && { signal }),
  };
}

/** Adds an attempt that is to be followed by another one. */
export function withEarlier(
  earlier: readonly EarlierAttempt[] | undefined,
  { error, ...attempt }: Omit<EarlierAttempt, 'error'> & { error: TaskErrorRecord },
): EarlierAttempt[] {
  const { name, message, code, signal } = error;
  const kept = {
    name: cut(name),
    message: cut(message),
    ...(code !== undefined && { code: cut(code) }),
    ...(signal !== undefined && { signal }),
  };
  return [...(earlier ?? []).slice(1 - KEPT_ATTEMPTS), { ...attempt, error: kept }];
}

function cut(text: string): string {
  return text.length <= KEPT_CHARACTERS ? text : `${text.slice(0, KEPT_CHARACTERS)}…`;
}
