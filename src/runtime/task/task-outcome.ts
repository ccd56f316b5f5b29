import { HoldfastError } from '../../base/errors.js';
import type { ClaimedTask, Settlement } from '../queue/contract.js';
import { idOf } from '../queue/generated-id.js';
import type { EarlierAttempt, Encoded, Outcome, OutcomeState, TaskErrorRecord } from './task.js';
import { decode } from './codec.js';

/** An outcome as callers see it: with the value itself, not its encoded form. */
export interface TaskOutcome<Result = unknown> {
  /** As it was given, or the name that the queue gave it: `#<number>`. */
  id: string;
  /** Name of the export. */
  handler: string;
  state: OutcomeState;
  /** Attempts that came to an end of their own: done, failed, timed out or cancelled. */
  attempts: number;
  /** Attempts in which the thread or the process died. */
  crashes: number;
  /** What the handler returned; only when `done`. */
  result?: Result;
  /** Only when not `done`. */
  error?: TaskErrorRecord;
  /** Milliseconds since the epoch, of the last attempt; `null` if it never started. */
  startedAt: number | null;
  /** Milliseconds of the last attempt. */
  durationMs: number;
  /** Number of the thread of the last attempt, from 1; `null` if it never started. */
  thread: number | null;
  /** Of the text of the module that its thread had loaded: 12 hexadecimal digits of SHA-256. Absent where no thread ended it. */
  version?: string;
  /** The last five attempts before the last one, the oldest first; absent if there were none. */
  earlierAttempts?: EarlierAttempt[];
  /** What the task was given; only where it was asked for (`withInput`). */
  input?: unknown;
}

/** An outcome with its place among those of the run. */
export interface RecordedOutcome extends TaskOutcome {
  /** Rises with each outcome that is recorded, from 1; there may be gaps. To go on behind it: `outcomes({ afterOrdinal })`. */
  ordinal: number;
}

/** What was recorded of a task by that settlement. */
export function outcomeOf(task: ClaimedTask, settlement: Settlement & { kind: 'outcome' }): Outcome {
  const { state, attempts, crashes, result, error, startedAt, durationMs, thread, version } = settlement;
  const { earlier } = task;
  return {
    id: idOf(task),
    handler: task.handler,
    state,
    attempts,
    crashes,
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
    startedAt,
    durationMs,
    thread,
    ...(version !== undefined && { version }),
    ...(earlier !== undefined && { earlierAttempts: earlier }),
  };
}

/**
 * What the handler returned.
 *
 * @throws HoldfastError ERR_VALUE_NOT_CLONEABLE when it is nested too deep for
 * this thread: the stack of a main thread is a quarter of that of a pool thread
 */
export function valueOf({ id, result }: Pick<Outcome, 'id' | 'result'>): unknown {
  return result === undefined ? undefined : readable(id, 'result', result);
}

function readable(id: string, what: 'input' | 'result', encoded: Encoded): unknown {
  try {
    return decode(encoded);
  } catch (cause) {
    const message = `the ${what} of task ${id} is recorded, but cannot be read here: ${(cause as Error).message}`;
    throw new HoldfastError('ERR_VALUE_NOT_CLONEABLE', message, {
      cause,
      hint: `${what === 'result' ? 'Return' : 'Give'} data that is less deeply nested.`,
    });
  }
}

export function decodeOutcome<Result>(outcome: Outcome): TaskOutcome<Result> {
  const { id, handler, state, attempts, crashes, error, startedAt, durationMs, thread } = outcome;
  const { version, earlierAttempts, input } = outcome;
  return {
    id,
    handler,
    state,
    attempts,
    crashes,
    ...(outcome.result !== undefined && { result: valueOf(outcome) as Result }),
    ...(error !== undefined && { error }),
    startedAt,
    durationMs,
    thread,
    ...(version !== undefined && { version }),
    ...(earlierAttempts !== undefined && { earlierAttempts }),
    ...(input !== undefined && { input: readable(id, 'input', input) }),
  };
}

/**
 * As `decodeOutcome`, for those who are given outcomes and have not asked for this one: a result that cannot be read
 * here keeps no outcome back. Reading it throws why.
 */
export function outcomeToTell(outcome: Outcome): TaskOutcome {
  try {
    return decodeOutcome(outcome);
  } catch (error) {
    const { result: _unreadable, ...rest } = outcome;
    return Object.defineProperty(decodeOutcome(rest), 'result', {
      enumerable: true,
      configurable: true,
      get: () => {
        throw error;
      },
    });
  }
}
