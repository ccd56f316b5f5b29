/** What an executor is made of, and what its calls take. Types only. */
import type { ProcessLock } from '../system/lock/process-lock.js';
import type { ResolvedOptions } from './options.js';
import type { Dispatcher } from './pool/dispatcher.js';
import type { TaskQueue } from './queue/contract.js';
import type { OutcomeState } from './task/task.js';

/** Put together by `startExecutor`. */
export interface ExecutorParts {
  options: ResolvedOptions;
  /** Folder of the run's state, absolute. */
  runDir: string;
  lock: ProcessLock;
  /** Lets the lock go, if that is this executor's to do. */
  release: () => void;
  queue: TaskQueue;
  dispatcher: Dispatcher;
  /** Names of all handlers of the module. */
  handlers: ReadonlySet<string>;
  /** Whether what waits from an earlier start is held back until its input names it. */
  holds: boolean;
}

/** What `map` takes. */
export interface MapOptions {
  /** How many inputs are on their way at most: read, and not yet yielded. Default: four times `threads` × `concurrency`, at least 1000. */
  window?: number;
}

/** What `outcome` takes. */
export interface OutcomeOptions {
  /** Whether the outcome has what its task was given, as `input`. Default false. */
  withInput?: boolean;
}

/** What `outcomes` takes. */
export interface OutcomesOptions extends OutcomeOptions {
  /** Only outcomes of this state; `not-done`: all but those that are `done`. Default: all. */
  state?: OutcomeState | 'not-done';
  /** Only outcomes behind this ordinal, a whole number. Default 0: from the first. */
  afterOrdinal?: number;
}

/** What `stop` takes. */
export interface StopOptions {
  /** Whether what runs is interrupted. Default false. */
  force?: boolean;
}
