/**
 * What passes between the main thread and a pool thread, on a port that no
 * handler can reach: `parentPort` is theirs.
 *
 *   main ── LoadRequest ──────▶ thread ── loaded, not-loaded ─▶ main   once, before anything else
 *   main ── BatchRequest ─────▶ thread ── report ─────────────▶ main   a batch a lane at a time
 *   main ── PingRequest ──────▶ thread ── pong ───────────────▶ main   while it is idle: that it answers at all
 *   main ── TeardownRequest ──▶ thread ── torn-down ──────────▶ main   once, after everything else
 *                               thread ── ThreadEvent ────────▶ main   any time
 *
 * A report answers for the tasks from `first` on. A lane that works long sends
 * what has ended so far, so that finished tasks seldom wait for a slow
 * neighbour, or are lost with it; the last one says that it is.
 *
 * In what form these travel stands in `wire.ts`.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Group } from '../processes/children.js';
import type { Encoded, TaskErrorRecord } from '../task/task.js';

/** Given to a thread when it is made. */
export interface ThreadData {
  /** Of the thread in its pool, from 1. */
  number: number;
  /** `file:` URL of the module that exports the handlers. */
  module: string;
  board: SharedArrayBuffer;
  port: MessagePort;
  /** How many requests were sent: an idle thread waits for it to rise. */
  requests: SharedArrayBuffer;
  /** The main thread's, to be followed. */
  clock: number;
  /** Whether what handlers print travels to the main thread as events instead of to stdout and stderr. */
  captureOutput: boolean;
  /** Bytes that it may hold, on its heap and outside of it; `undefined`: no limit but V8's. */
  memory: number | undefined;
  /** Above so many bytes it is to be replaced; `undefined`: never. */
  recycleAbove: number | undefined;
  children: ChildSettings;
}

/** What a thread needs to tie what tasks start to them. */
export interface ChildSettings {
  /** Of this thread; marks of its tasks begin with it. */
  mark: string;
  /** Between the abort of a task and the end of its thread, in ms. */
  graceMs: number;
  /** One number: 1 once there is a process that ends children if this one dies. All threads of an executor share it. */
  reaper: Int32Array;
}

interface LoadRequest {
  type: 'load';
}

/** The thread's event loop is not let turn for the answer: what a task left there stays where it is. */
interface PingRequest {
  type: 'ping';
}

/** Asks for the `teardown` of the module. */
interface TeardownRequest {
  type: 'teardown';
}

export interface BatchRequest {
  type: 'batch';
  lane: number;
  /** Of the queue; handed to handlers as `context.fencingToken`. */
  fencingToken: number;
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

/** As they grow, or as they were sent. */
type Numbers = number[] | Float64Array;

export interface BatchReport {
  lane: number;
  /** Position in the batch of the first task told of. */
  first: number;
  ends: AttemptEnd[];
  /** The result of each task that is done (`undefined`: it returned nothing), the error of each other one. */
  payloads: (Encoded | TaskErrorRecord | undefined)[];
  /** Milliseconds since the epoch. */
  startedAt: Numbers;
  /** Milliseconds, fractions included. */
  durationMs: Numbers;
  /** Whether the batch is done with. */
  last: boolean;
}

/**
 * Whose turn it was when a handler printed. Of one attempt, it is known; of several in flight, it was any of them; of
 * none, what was printed belongs to no task: while the module loads, or by what a task has left behind.
 */
export interface Printers {
  /** The first few. `input`: of a task whose id was made of its content, as JSON, where that is short. */
  attempts: { taskId: string; attempt: number; input?: string }[];
  /** How many more there were. */
  others: number;
}

/** The levels of `context.log`. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface TaskProgress {
  taskId: string;
  done: number;
  total?: number;
}

export type ThreadRequest = LoadRequest | PingRequest | BatchRequest | TeardownRequest;

/** Of a batch, once for each part of it; the others once for each request. */
type ThreadReply =
  | {
      type: 'loaded';
      /** Names of all functions that the module exports for tasks. */
      handlers: string[];
      /** Whether it exports a `teardown`. */
      hasTeardown: boolean;
    }
  | { type: 'not-loaded'; error: TaskErrorRecord }
  | ({ type: 'report' } & BatchReport)
  | { type: 'pong' }
  /** It is above its limit, garbage aside, and does nothing more. In bytes. */
  | { type: 'burst'; heap: number; external: number }
  | { type: 'torn-down'; error?: TaskErrorRecord };

/** Of what a handler should not do. `replaced`: the name of a builtin. */
type Misuse = { kind: 'posted' } | { kind: 'replaced'; name: string };

export type ChildEvent =
  /** A task is about to start a program, and waits for the reaper. */
  | { type: 'reaper' }
  /** A task has started a program, in a process group of its own. */
  | { type: 'child'; group: Group }
  /** The group with this id has no members any more. */
  | { type: 'child-gone'; group: number };

/** Of what tasks do, for whoever listens to the executor. */
export type TaskEvent =
  | {
      type: 'log';
      level: LogLevel;
      taskId: string;
      attempt: number;
      message: string;
      fields?: Record<string, unknown>;
    }
  | ({ type: 'progress'; lane: number } & TaskProgress)
  /** A task did what harms others in its thread. `taskId`, `handler`: `undefined` where it is not known. */
  | { type: 'misuse'; misuse: Misuse; taskId: string | undefined; handler: string | undefined }
  | { type: 'output'; stream: 'stdout' | 'stderr'; text: string; printers: Printers };

export type ThreadEvent = TaskEvent | ChildEvent;

export type ThreadMessage = ThreadReply | ThreadEvent;
