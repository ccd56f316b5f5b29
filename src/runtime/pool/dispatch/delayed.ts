import type { Claiming } from '../../queue/contract.js';

/** The longest time that a timer of Node can wait for, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface DelayedListener {
  /** A task that was put off is due. */
  onDue(): void;
  /** The queue failed. */
  onFailed(error: Error): void;
}

/** Knows when the next task of a queue is due that is to run later. */
export class Delayed {
  readonly #now: () => number;
  readonly #listener: DelayedListener;
  /** As long as there can be none, the queue need not be asked each time. */
  #mayBe = true;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since the epoch, as the queue counts */
  constructor(now: () => number, listener: DelayedListener) {
    this.#now = now;
    this.#listener = listener;
  }

  /** A task was put off. */
  came(): void {
    this.#mayBe = true;
  }

  /** To be called when none is ready. @param isWanted asked once it is known when the next one is due */
  schedule(queue: Claiming, isWanted: () => boolean): void {
    if (!this.#mayBe) return;
    this.#mayBe = false;
    queue.nextDue().then(
      (due) => {
        if (due !== undefined) this.#mayBe = true;
        this.cancel();
        if (due === undefined || !isWanted()) return;
        const ms = Math.min(Math.max(1, due - this.#now()), MAX_TIMER_MS);
        this.#timer = setTimeout(() => this.#listener.onDue(), ms);
      },
      (error: Error) => this.#listener.onFailed(error),
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
