/**
 * What passes between the main thread and a pool thread.
 *
 *   main ── LoadRequest ──▶ thread ── LoadReply ──▶ main      once, before anything else
 *   main ── BatchRequest ─▶ thread ── BatchReport ▶ main      a batch a lane at a time
 *   main ── PingRequest ──▶ thread ── nothing ────▶ main      while it is idle: that it answers at all
 *                           thread ── ThreadEvent ▶ main      any time
 *
 * A report answers for the tasks from `first` on. A lane that works long sends
 * what has ended so far as events of type `report`, so that finished tasks
 * seldom wait for a slow neighbour, or are lost with it; the last one is the
 * answer to the request.
 */
import type { Encoded, TaskErrorRecord } from '../task.js';

/** Given to a thread when it is made. */
export interface ThreadData {
  /** `file:` URL of the module that exports the handlers. */
  module: string;
  board: SharedArrayBuffer;
  /** The main thread's, to be followed. */
  clock: number;
  /** Whether what handlers print travels to the main thread as events instead of to stdout and stderr. */
  captureOutput: boolean;
}

export interface LoadRequest {
  type: 'load';
}

export type LoadReply =
  /**
   * Names of all functions that the module exports. `version`: of its text, 12 hexadecimal
   * digits of SHA-256; absent if the file changed while it was loaded.
   */
  { handlers: string[]; version?: string } | { error: TaskErrorRecord };

/** The answer holds nothing. The thread's event loop is not let turn for it: what a task left there stays where it is. */
export interface PingRequest {
  type: 'ping';
}

export interface BatchRequest {
  type: 'batch';
  lane: number;
  batch: number;
  /** Of the queue; handed to handlers as `context.fencingToken`. */
  epoch: number;
  /** The id that a task was given, or its number in the queue if it was given none. */
  ids: (string | number)[];
  /** Of each task; one name if it is the same for all. */
  handlers: string | string[];
  /** Of each task; as the text of one JSON array if all are JSON: a third of the work to write and to read. */
  inputs: string | Encoded[];
  /** Number of this attempt of each task, from 1; one number if it is the same for all. */
  attempts: number | number[];
}

/** How an attempt ended, as the thread saw it. */
export const AttemptEnd = { done: 0, failed: 1, timedOut: 2, cancelled: 3, interrupted: 4 } as const;
export type AttemptEnd = (typeof AttemptEnd)[keyof typeof AttemptEnd];

export interface BatchReport {
  lane: number;
  batch: number;
  /** Position in the batch of the first task told of. */
  first: number;
  ends: AttemptEnd[];
  /** The result of each task that is done (`undefined`: it returned nothing), the error of each other one. */
  payloads: (Encoded | TaskErrorRecord | undefined)[];
  /** Milliseconds since the epoch. */
  startedAt: number[];
  /** Milliseconds, fractions included. */
  durationMs: number[];
  /** Bytes of this thread's heap in use; only in the last report of a batch. */
  heapUsed?: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface TaskProgress {
  taskId: string;
  done: number;
  total?: number;
}

export type ThreadEvent =
  | ({ type: 'report' } & BatchReport)
  | { type: 'log'; level: LogLevel; taskId: string; message: string; fields?: Record<string, unknown> }
  | ({ type: 'progress'; lane: number } & TaskProgress)
  | { type: 'output'; stream: 'stdout' | 'stderr'; text: string };

/** Events go through the thread's own port, which handlers may use as well: what is not in an envelope is theirs. */
export interface Envelope {
  holdfast: ThreadEvent;
}
