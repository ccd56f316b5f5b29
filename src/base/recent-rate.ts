/** How far back is looked at least, in ms and in outcomes: long tasks end seldom. */
const WINDOW_MS = 15_000;
const WINDOW_OUTCOMES = 20;

/** So many times the usual time between two outcomes without one is unusual, but never less than so many ms. */
const UNUSUAL_GAPS = 5;
const UNUSUAL_MS = 3_000;

/** Before the first outcome nothing is known of what is usual. */
const UNUSUAL_FIRST_MS = 30_000;

/** How fast tasks end now, not on average since the start: that would promise an end long after nothing ends any more. */
export class RecentRate {
  /** When the number of outcomes changed; of the first one, when it was first asked for. */
  #changes: { at: number; ended: number }[] = [];

  /**
   * Takes in how many tasks have ended.
   * @param at milliseconds that only grow
   */
  add(ended: number, at: number): void {
    const changes = this.#changes;
    if (changes.at(-1)?.ended !== ended) changes.push({ at, ended });
    while (changes.length > 2 && at - changes[1]!.at >= WINDOW_MS && ended - changes[1]!.ended >= WINDOW_OUTCOMES) {
      changes.shift();
    }
  }

  /** What was before does not count: nothing was to end. */
  restart(): void {
    this.#changes = [];
  }

  /** Outcomes a second. */
  perSecond(at: number): number {
    const first = this.#changes[0];
    const last = this.#changes.at(-1);
    if (first === undefined || last === undefined || first === last) return 0;
    return ((last.ended - first.ended) * 1_000) / Math.max(1, at - first.at);
  }

  /** Milliseconds since the last outcome, if that is unusually long ago. */
  silentMs(at: number): number | undefined {
    const first = this.#changes[0];
    const last = this.#changes.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const usual = first === last ? 0 : (last.at - first.at) / (last.ended - first.ended);
    const unusual = first === last ? UNUSUAL_FIRST_MS : Math.max(UNUSUAL_MS, UNUSUAL_GAPS * usual);
    return at - last.at > unusual ? at - last.at : undefined;
  }
}
