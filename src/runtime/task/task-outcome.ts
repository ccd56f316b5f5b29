import { inspect } from 'node:util';
import { HoldfastError } from '../../base/errors.js';
import type { ClaimedTask, Settlement } from '../queue/contract.js';
import { idOf } from '../queue/generated-id.js';
import type { EarlierAttempt, Encoded, Outcome, OutcomeState, TaskErrorRecord } from './task.js';
import { decode } from './codec.js';

/** An outcome as callers see it: with the value itself, not its encoded form. */
export interface TaskOutcome<Result = unknown> {
  id: string;
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
 * An outcome whose result is decoded when it is first read: most who listen to
 * outcomes never look at it. To whoever does, to copies and to JSON it is as
 * `decodeOutcome` gives it.
 */
export class OutcomeView implements TaskOutcome {
  // Declared alone, so that they stand in the order in which they are set.
  declare readonly id: string;
  declare readonly handler: string;
  declare readonly state: OutcomeState;
  declare readonly attempts: number;
  declare readonly crashes: number;
  declare readonly result?: unknown;
  declare readonly error?: TaskErrorRecord;
  declare readonly startedAt: number | null;
  declare readonly durationMs: number;
  declare readonly thread: number | null;
  declare readonly version?: string;
  declare readonly earlierAttempts?: EarlierAttempt[];
  declare readonly input?: unknown;
  #encoded: Outcome['result'];

  constructor(outcome: Outcome) {
    this.id = outcome.id;
    this.handler = outcome.handler;
    this.state = outcome.state;
    this.attempts = outcome.attempts;
    this.crashes = outcome.crashes;
    if (outcome.result !== undefined) {
      this.#encoded = outcome.result;
      Object.defineProperty(this, 'result', OutcomeView.#RESULT);
    }
    if (outcome.error !== undefined) this.error = outcome.error;
    this.startedAt = outcome.startedAt;
    this.durationMs = outcome.durationMs;
    this.thread = outcome.thread;
    if (outcome.version !== undefined) this.version = outcome.version;
    if (outcome.earlierAttempts !== undefined) this.earlierAttempts = outcome.earlierAttempts;
    if (outcome.input !== undefined) this.input = readable(outcome.id, 'input', outcome.input);
  }

  /** Of the object itself, so that copies have it; one for all, as a getter each would cost ten times as much. */
  static readonly #RESULT: PropertyDescriptor & ThisType<OutcomeView> = {
    enumerable: true,
    configurable: true,
    get() {
      const value = valueOf({ id: this.id, result: this.#encoded! });
      Object.defineProperty(this, 'result', { enumerable: true, configurable: true, value });
      return value;
    },
  };

  [inspect.custom](): unknown {
    return Object.assign({}, this);
  }
}
