import type { ClaimedTask, Settlement } from '../queue/contract.js';
import { AttemptEnd } from '../thread/protocol.js';
import type { Encoded, OutcomeState, TaskErrorRecord } from '../task.js';

/** What a run does with attempts that did not end well. */
export interface RetryPolicy {
  /** Tries after the first one, where the task does not say. */
  retries: number;
  /** Milliseconds. */
  backoffBase: number;
  /** Milliseconds. */
  backoffMax: number;
  maxCrashes: number;
}

/** An attempt that a thread has told of. */
export interface EndedAttempt {
  end: AttemptEnd;
  payload: Encoded | TaskErrorRecord | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number;
  durationMs: number;
  thread: number;
}

/** What is to be recorded after an attempt: an outcome, another try, or nothing but its release. */
export function conclude(task: ClaimedTask, attempt: EndedAttempt, policy: RetryPolicy): Settlement {
  const { seq, crashes } = task;
  if (attempt.end === AttemptEnd.interrupted) return { kind: 'release', seq };
  const attempts = task.attempts + 1;
  const mayRetry = attempt.end === AttemptEnd.failed || attempt.end === AttemptEnd.timedOut;
  if (mayRetry && attempts <= (task.retries ?? policy.retries)) {
    return { kind: 'retry', seq, attempts, crashes, runAt: Date.now() + backoff(attempts, policy) };
  }
  const done = attempt.end === AttemptEnd.done;
  return {
    kind: 'outcome',
    seq,
    state: STATES[attempt.end],
    attempts,
    crashes,
    result: done ? (attempt.payload as Encoded | undefined) : undefined,
    error: done ? undefined : (attempt.payload as TaskErrorRecord),
    startedAt: attempt.startedAt,
    durationMs: attempt.durationMs,
    thread: attempt.thread,
  };
}

/** What is to be recorded of the one task that was running when its thread died. */
export function concludeCrash(
  task: ClaimedTask,
  cause: Error,
  at: { startedAt: number; durationMs: number; thread: number },
  policy: RetryPolicy,
): Settlement {
  const { seq, attempts } = task;
  const crashes = task.crashes + 1;
  if (crashes < policy.maxCrashes) return { kind: 'retry', seq, attempts, crashes, runAt: Date.now() };
  const { code } = cause as { code?: unknown };
  const detail = typeof code === 'string' ? `${cause.message} (${code})` : cause.message;
  return {
    kind: 'outcome',
    seq,
    state: 'crashed',
    attempts,
    crashes,
    result: undefined,
    error: {
      name: 'ThreadCrash',
      message: `its thread died under it, ${crashes} of ${policy.maxCrashes} times: ${detail}`,
      code: 'ERR_TASK_CRASHED',
      ...(cause.stack === undefined ? {} : { stack: cause.stack }),
    },
    ...at,
  };
}

const STATES: Record<Exclude<AttemptEnd, typeof AttemptEnd.interrupted>, OutcomeState> = {
  [AttemptEnd.done]: 'done',
  [AttemptEnd.failed]: 'failed',
  [AttemptEnd.timedOut]: 'timed-out',
  [AttemptEnd.cancelled]: 'cancelled',
};

/** Exponential, with full jitter, so that tasks that failed together do not come back together. In ms. */
function backoff(attempts: number, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.backoffMax, policy.backoffBase * 2 ** (attempts - 1));
  return Math.random() * ceiling;
}
