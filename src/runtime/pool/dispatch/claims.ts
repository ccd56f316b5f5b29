import type { ClaimedTask, Claiming } from '../../queue/contract.js';

/**
 * Tasks that are claimed in one go, at most: with hundreds of threads and tasks
 * that cost nothing, one claim would keep the main thread for seconds.
 */
const MAX_CLAIM = 10_000;

/** Below this share of a full hand it is filled again: claims of a few would cost a transaction each. */
const LOW = 1 / 4;

/** Asks the queue for tasks, one question at a time, and not as long as it is known to have none. */
export class Claims {
  readonly #now: () => number;
  readonly #onFailed: (error: Error) => void;
  #underWay = false;
  /** The last claim found less than it asked for; nothing came since. */
  #foundAll = false;

  /** @param now milliseconds since the epoch, as the queue counts */
  constructor(now: () => number, onFailed: (error: Error) => void) {
    this.#now = now;
    this.#onFailed = onFailed;
  }

  /** Whether the queue is being asked. */
  get underWay(): boolean {
    return this.#underWay;
  }

  /** Whether it makes sense to ask. */
  get mayFind(): boolean {
    return !this.#underWay && !this.#foundAll;
  }

  /** Tasks came to the queue, or back to it. */
  cameMore(): void {
    this.#foundAll = false;
  }

  /**
   * Claims as many as are missing.
   * @param full how many there should be in hand
   * @param take `isAll`: none is left that is ready
   */
  fillUp(queue: Claiming, full: number, inHand: number, take: (tasks: ClaimedTask[], isAll: boolean) => void): void {
    if (inHand > LOW * full) return;
    const want = Math.min(MAX_CLAIM, full - inHand);
    if (want <= 0) return;
    // Whatever comes from now on is not part of what this claim finds.
    this.#foundAll = true;
    this.#ask(queue.claim(want, this.#now()), (tasks) => {
      const isAll = tasks.length < want;
      if (!isAll) this.#foundAll = false;
      take(tasks, isAll);
    });
  }

  /** Claims a suspect; `undefined`: there is none. */
  suspect(queue: Claiming, take: (suspect: ClaimedTask | undefined) => void): void {
    this.#ask(queue.claimSuspect(), take);
  }

  #ask<Found>(asked: Promise<Found>, take: (found: Found) => void): void {
    this.#underWay = true;
    asked.then(
      (found) => {
        this.#underWay = false;
        take(found);
      },
      (error: Error) => {
        this.#underWay = false;
        this.#onFailed(error);
      },
    );
  }
}
