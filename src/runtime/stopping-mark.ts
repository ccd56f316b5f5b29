import type { ProcessLock } from '../system/lock/process-lock.js';

/** Tells in the lock's details that its holder is to end: no task is to be blamed for a kill that follows as it takes too long. */
export class StoppingMark {
  readonly #lock: ProcessLock;
  #stopping = false;

  constructor(lock: ProcessLock) {
    this.#lock = lock;
  }

  set(stopping: boolean): void {
    if (!this.#lock.held || this.#stopping === stopping) return;
    this.#stopping = stopping;
    try {
      this.#lock.describe({ stopping });
    } catch {
      // The lock is lost, or its disk is full: both are told elsewhere.
    }
  }
}
