/** A thread that was ended and goes on: native code in it does not return, and Node cannot end it before it does. */
export interface UnendedThread {
  /** Number of the thread, from 1. */
  thread: number;
  /** Ids of the tasks that were running in it. They have their outcome, or are ready again. */
  tasks: string[];
}

const threads = new Set<UnendedThread>();

/** All of this process: `process.exit()` would wait for them. */
export function unendedThreads(): readonly UnendedThread[] {
  return [...threads];
}

/** @param exited resolves if it ends after all */
export function keepUnended(thread: UnendedThread, exited: Promise<unknown>): void {
  threads.add(thread);
  void exited.then(() => threads.delete(thread));
}
