import type { Executor } from '../runtime/executor.js';

/** The beats of an executor, from its first one on: which threads have shown that they turn. */
export class BeatLog {
  /** Beats so far. */
  count = 0;
  readonly #seen = new Set<number>();
  readonly #executor: Executor;

  /** To be made in the tick in which the executor was. */
  constructor(executor: Executor) {
    this.#executor = executor;
    executor.on('beat', ({ threads }) => {
      this.count++;
      for (const thread of threads) this.#seen.add(thread);
    });
  }

  /**
   * Those of `threads` that no beat has told of. A thread that was still loading
   * at the first one is in the next: that is waited for.
   */
  async missing(threads: readonly number[], patienceMs: number): Promise<number[]> {
    const missing = () => threads.filter((thread) => !this.#seen.has(thread));
    if (missing().length === 0) return [];
    let look: () => void;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      look = () => missing().length === 0 && resolve();
      this.#executor.on('beat', look);
      timer = setTimeout(resolve, patienceMs);
    });
    this.#executor.off('beat', look!);
    clearTimeout(timer);
    return missing();
  }
}
