import type { ClaimedTask, Settlement } from '../../queue/contract.js';
import { CANCELLED, withEarlier } from '../../queue/endings.js';
import { formatDuration } from '../../../base/units.js';
import { AttemptEnd } from '../../thread/protocol.js';
import type { Encoded, OutcomeState, TaskErrorRecord } from '../../task/task.js';

/** What a run does with attempts that did not end well. */
export interface RetryPolicy {
  /** Tries after the first one, where the task does not say. */
  retries: number;
  /** Milliseconds. */
  backoffBase: number;
  /** Milliseconds. */
  backoffMax: number;
  maxCrashes: number;
  /** Milliseconds since the epoch, on a clock that nobody sets while the process lives. */
  now: () => number;
  /** Milliseconds an attempt may take where the task does not say; `undefined`: no limit. */
  timeout: number | undefined;
}

/** Milliseconds that an attempt of a task may take; `undefined`: no limit. */
export function limitOf({ timeoutMs }: ClaimedTask, { timeout }: Pick<RetryPolicy, 'timeout'>): number | undefined {
  return timeoutMs ?? timeout;
}

/** @param limit in ms */
export function timedOutText(limit: number | undefined): string {
  return `the task ran for longer than its timeout${limit === undefined ? '' : ` of ${formatDuration(limit)}`}`;
}

/** When and where an attempt ran. */
export interface AttemptPlace {
  /** Milliseconds since the epoch. */
  startedAt: number;
  durationMs: number;
  thread: number;
  /** Of the text of the module that the thread had loaded. */
  version: string | undefined;
}

/** What is to be recorded after an attempt: an outcome, another try, or nothing but its release. */
export function conclude(
  task: ClaimedTask,
  end: AttemptEnd,
  payload: Encoded | TaskErrorRecord | undefined,
  { startedAt, durationMs, thread, version }: AttemptPlace,
  policy: RetryPolicy,
): Settlement {
  const { crashes } = task;
  if (end === AttemptEnd.interrupted) return { kind: 'release', claim: task };
  const attempts = task.attempts + 1;
  const mayRetry = end === AttemptEnd.failed || end === AttemptEnd.timedOut;
  if (mayRetry && attempts <= (task.retries ?? policy.retries)) {
    const runAt = policy.now() + backoff(attempts, policy);
    const state = STATES[end] as 'failed' | 'timed-out';
    const error = payload as TaskErrorRecord;
    const earlier = withEarlier(task.earlier, { attempt: attempts, state, error, startedAt, durationMs, thread });
    return { kind: 'retry', claim: task, attempts, crashes, runAt, earlier };
  }
  const done = end === AttemptEnd.done;
  return {
    kind: 'outcome',
    claim: task,
    state: STATES[end],
    attempts,
    crashes,
    result: done ? (payload as Encoded | undefined) : undefined,
    error: done ? undefined : (payload as TaskErrorRecord),
    startedAt,
    durationMs,
    thread,
    version,
  };
}

/** Adds to the error of an outcome where the task stood, if that was asked. */
export function withStuckAt(settlement: Settlement, stuckAt: string | undefined): Settlement {
  if (stuckAt === undefined || settlement.kind !== 'outcome' || settlement.error === undefined) return settlement;
  return { ...settlement, error: { ...settlement.error, stuckAt } };
}

/** Whether a task that kills its thread once more is only tried again. */
export function mayCrashAgain({ crashes }: ClaimedTask, { maxCrashes }: RetryPolicy): boolean {
  return crashes + 1 < maxCrashes;
}

/** What is to be recorded of the one task that was running when its thread died. */
export function concludeCrash(task: ClaimedTask, cause: Error, place: AttemptPlace, policy: RetryPolicy): Settlement {
  const { attempts } = task;
  const crashes = task.crashes + 1;
  const { code } = cause as { code?: unknown };
  const detail = typeof code === 'string' ? `${cause.message} (${code})` : cause.message;
  const error = {
    name: 'ThreadCrash',
    message: `its thread died under it, ${crashes} of ${policy.maxCrashes} times: ${detail}`,
    code: 'ERR_TASK_CRASHED',
    ...(cause.stack === undefined ? {} : { stack: cause.stack }),
  };
  if (mayCrashAgain(task, policy)) {
    const { startedAt, durationMs, thread } = place;
    const attempt = { attempt: attempts + 1, state: 'crashed' as const, error, startedAt, durationMs, thread };
    const earlier = withEarlier(task.earlier, attempt);
    return { kind: 'retry', claim: task, attempts, crashes, runAt: policy.now(), earlier };
  }
  return {
    kind: 'outcome',
    claim: task,
    state: 'crashed',
    attempts,
    crashes,
    result: undefined,
    error,
    ...place,
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

/** A task that was claimed and is cancelled before any thread took it up. */
export function cancelledBeforeStart(task: ClaimedTask): Settlement {
  return {
    kind: 'outcome',
    claim: task,
    state: 'cancelled',
    attempts: task.attempts,
    crashes: task.crashes,
    result: undefined,
    error: CANCELLED,
    startedAt: null,
    durationMs: 0,
    thread: null,
    version: undefined,
  };
}
