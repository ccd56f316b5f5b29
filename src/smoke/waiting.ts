/** Waiting that has an end: a deadline, or somebody who wants the whole test to end. */

export const LATE = Symbol('late');

/** What a test that somebody ended rejects with. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** Gives up waiting, whatever it waits for, once `signal` is aborted, which it is not yet: it then throws `Cancelled`. */
export class Waiting {
  readonly #cancelled: Promise<never>;

  constructor(signal: AbortSignal) {
    this.#cancelled = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Cancelled()), { once: true });
    });
    this.#cancelled.catch(() => {});
  }

  /** What `promise` gives, or `LATE` after so many milliseconds. */
  async within<T>(ms: number, promise: Promise<T>): Promise<T | typeof LATE> {
    // What comes after the end of the waiting is heard by nobody.
    promise.catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof LATE>((resolve) => (timer = setTimeout(() => resolve(LATE), Math.max(0, ms))));
    try {
      return await Promise.race([promise, late, this.#cancelled]);
    } finally {
      clearTimeout(timer);
    }
  }

  async for<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    return Promise.race([promise, this.#cancelled]);
  }
}
