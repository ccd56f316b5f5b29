import type { Session } from './session.js';

/** A thread of a process, and how to talk to it. */
export interface AttachedThread {
  /** As `worker_threads.threadId` has it; 0: the main thread. */
  threadId: number;
  /** `main`, or the name of the worker. */
  name: string;
  session: Session;
}

/** A process that can be looked into, for as long as it is not let go. */
export interface Attached {
  /** The main thread first, then workers in the order of their start. */
  threads: AttachedThread[];
  /** Path of a private folder (0700), for heap snapshots; `detach` removes it with all that is in it. */
  folder: string;
  /** Leaves the process as it was found. Never rejects; at the second call it does nothing. */
  detach(): Promise<void>;
}
