/** The events of an executor. Types only. */
import type { Beat } from './health/heartbeat.js';
import type { UnendedThread } from './pool/thread/unended.js';
import type { ExecutorMode } from './status.js';
import type { EarlierAttempt, Outcome } from './task/task.js';
import type { TaskOutcome } from './task/task-outcome.js';
import type { LogLevel, Printers } from './thread/protocol.js';

/** Tasks that are stuck. */
export interface TasksStuck {
  /** Number of the thread, from 1. */
  thread: number;
  /** Their ids. */
  tasks: string[];
  /**
   * `stalled`: they are past `stallAfter`; `silent`: and the event loop of their
   * thread has not turned since; `timed-out`: they are asked to stop now;
   * `unyielding`: they did not stop when asked, and their thread is ended now.
   */
  why: 'stalled' | 'silent' | 'timed-out' | 'unyielding';
  /** Milliseconds since the first of them began. */
  runningMs: number;
  /** Where they are `timed-out`: the limit that was set, in ms. */
  timeoutMs?: number;
  /** Where they are: see `stuckAt` of `TaskErrorRecord`. */
  stuckAt: string;
}

/** An attempt that has begun. */
export interface TaskStarted {
  taskId: string;
  handler: string;
  /** From 1. */
  attempt: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Number of the thread, from 1. */
  thread: number;
}

/** How far a task says it is. */
export interface TaskProgressed {
  taskId: string;
  /** As the handler passed it, and so is `total`. */
  done: number;
  /** If the handler passed it. */
  total?: number;
  /** Number of the thread, from 1. */
  thread: number;
}

/** What a handler logged. */
export interface TaskLogged {
  level: LogLevel;
  message: string;
  /** Plain data. */
  fields?: Record<string, unknown>;
  taskId: string;
  /** Of a task whose id was made of its content, as JSON, where that is short. */
  input?: string;
  /** From 1. */
  attempt: number;
  /** Number of the thread, from 1. */
  thread: number;
}

/** An attempt that ended without success, and is not the last one. */
export interface TaskRetrying extends EarlierAttempt {
  taskId: string;
  handler: string;
  /** When the next attempt is due, in milliseconds since the epoch. */
  dueAt: number;
}

/** A thread that was not torn down. */
export interface TeardownFailed {
  /** Number of the thread, from 1. */
  thread: number;
  /** Why. */
  cause: Error;
  /** How many tasks had ended `done` there. */
  outcomes: number;
  /** The first few of them, by id. */
  tasks: string[];
}

/** The events of an executor, each with what its listeners get. */
export interface ExecutorEvents {
  /**
   * A task has its outcome, and the outcome is durable: as `outcome(id)` gives it.
   * `ordinal` rises with each.
   */
  outcome: [outcome: TaskOutcome, ordinal: number];
  /** The same, with the result as the queue holds it. @internal */
  recorded: [outcome: Outcome];
  /**
   * An attempt at a task has begun. Emitted within a few hundredths of a second
   * while it runs; for one that ends sooner, with its end, just before `outcome`
   * or `retrying`. One that is interrupted begins again, and is emitted again.
   */
  started: [event: TaskStarted];
  /** A handler called `context.progress`: at most ten times a second for each task. The last one may come after its outcome. */
  progress: [event: TaskProgressed];
  /** An attempt ended without success, and there will be another one: that is recorded. */
  retrying: [event: TaskRetrying];
  /** A handler logged something. */
  log: [entry: TaskLogged];
  /** A handler printed something (only with captured output). */
  output: [text: string, stream: 'stdout' | 'stderr', thread: number, printers: Printers];
  /** A thread died, by its own doing; `tasks` were running on it. */
  'thread-died': [event: { thread: number; cause: Error; tasks: string[] }];
  /** A thread was ended by force or by `stop`, and goes on: see `stop`. */
  'thread-unended': [event: UnendedThread];
  /**
   * A thread whose module has a `teardown` has ended without it: it threw, took
   * longer than the grace, or the thread died. What its tasks left to it may be lost.
   */
  'teardown-failed': [event: TeardownFailed];
  /** Tasks of one thread are stuck at the same place. Each is reported once for each reason. */
  'tasks-stuck': [event: TasksStuck];
  /** `ERR_LOCK_LOST`, a queue or a pool that failed: the executor takes no more tasks. Emitted once. */
  failed: [error: Error];
  /** Its mode is another one now. */
  'mode-changed': [mode: ExecutorMode];
  /** Once a second: the queue answers, and the threads turn. The first comes at once. */
  beat: [beat: Beat];
  /** No beat came when one was due. `missed`: so many since the last one, this one included. */
  'beat-missed': [event: { reason: string; missed: number }];
  /** Something is not as it should be, and harms no task. */
  warning: [error: Error];
}
