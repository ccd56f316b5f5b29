import type { PoolThread } from './thread/pool-thread.js';

/** Threads that are torn down, and then ended: the next of that number has to wait until they are gone. */
export class Leaving {
  /** By number. */
  readonly #gone = new Map<number, Promise<void>>();
  /** Numbers of threads that wait to come. */
  readonly #expected = new Set<number>();

  get size(): number {
    return this.#gone.size;
  }

  /** Resolves when those are gone that are leaving now. */
  async all(): Promise<void> {
    await Promise.all(this.#gone.values());
  }

  /** @param tearDown never rejects */
  leave(thread: PoolThread, tearDown: () => Promise<void>): void {
    const { number } = thread;
    const gone = tearDown()
      .then(() => thread.end())
      .finally(() => {
        if (this.#gone.get(number) === gone) this.#gone.delete(number);
      });
    this.#gone.set(number, gone);
  }

  /** Whether a thread of that number is leaving. */
  has(number: number): boolean {
    return this.#gone.has(number);
  }

  /** Whether another one of that number waits to come. */
  expects(number: number): boolean {
    return this.#expected.has(number);
  }

  /** Resolves when the thread of that number is gone; until then another one is expected. */
  async makeWay(number: number): Promise<void> {
    this.#expected.add(number);
    await this.#gone.get(number);
    this.#expected.delete(number);
  }
}
