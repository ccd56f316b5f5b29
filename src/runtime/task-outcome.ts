import type { ClaimedTask, Settlement } from './queue/contract.js';
import { idOf } from './queue/generated-id.js';
import type { Outcome, OutcomeState, TaskErrorRecord } from './task.js';
import { decode } from './thread/codec.js';

/** An outcome as callers see it: with the value itself, not its encoded form. */
export interface TaskOutcome<Result = unknown> {
  id: string;
  handler: string;
  state: OutcomeState;
  /** Attempts that came to an end of their own: done, failed or timed out. */
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
}

/** What was recorded of a task by that settlement. */
export function outcomeOf(task: ClaimedTask, settlement: Settlement & { kind: 'outcome' }): Outcome {
  const { state, attempts, crashes, result, error, startedAt, durationMs, thread } = settlement;
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
  };
}

/** What the handler returned. */
export function valueOf({ result }: Outcome): unknown {
  return result === undefined ? undefined : decode(result);
}

export function decodeOutcome<Result>(outcome: Outcome): TaskOutcome<Result> {
  const { id, handler, state, attempts, crashes, error, startedAt, durationMs, thread } = outcome;
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
  };
}
