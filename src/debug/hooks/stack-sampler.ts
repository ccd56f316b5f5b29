/**
 * Decides when a creation stack is taken: one in `oneIn`, a number that follows
 * what stacks were seen to cost, so that they take `SHARE` of the time at most.
 *
 * A program that makes few promises gets a stack for each. The gaps are drawn
 * at random: of a loop that makes four promises a turn, every eighth would
 * always be the same one.
 */
const SHARE = 0.03;

/** Time for stacks that can be saved up, in ms: a burst after a quiet while is seen whole. */
const MAX_SAVED_MS = 50;

const MAX_ONE_IN = 2 ** 20;

export class StackSampler {
  /** Mean gap between two stacks, in creations. */
  oneIn = 1;
  readonly #random: () => number;
  #savedMs = MAX_SAVED_MS;
  /** When `#savedMs` was true, in ms. */
  #savedAt: number;
  #creationsLeft = 1;

  /** @param random from 0 to below 1 */
  constructor(startedAt: number, random: () => number = Math.random) {
    this.#savedAt = startedAt;
    this.#random = random;
  }

  /** Whether a creation gets its stack; if so, `took` is to be told. @param now ms */
  wants(now: number): boolean {
    if (--this.#creationsLeft > 0) {
      // In a program that has become quiet the gap would never end by itself.
      return this.oneIn > 1 && now - this.#savedAt >= (MAX_SAVED_MS - this.#savedMs) / SHARE;
    }
    return true;
  }

  /** A stack was taken, from `start` to `end`, in ms. */
  took(start: number, end: number): void {
    const [earned, cost] = [(start - this.#savedAt) * SHARE, end - start];
    const saved = Math.min(MAX_SAVED_MS, this.#savedMs + earned);
    this.#savedMs = saved - cost;
    this.#savedAt = end;
    // A debt that shrinks already is no reason to slow down further.
    if (this.#savedMs < 0 && earned < cost) this.oneIn = Math.min(MAX_ONE_IN, this.oneIn * 2);
    else if (saved > MAX_SAVED_MS / 2) this.oneIn = Math.max(1, this.oneIn / 2);
    this.#creationsLeft = 1 + Math.floor(this.#random() * (2 * this.oneIn - 1));
  }
}
