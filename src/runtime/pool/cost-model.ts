/**
 * How much work a message should carry, in ms. A message costs about 30 µs, so
 * this keeps the transport near 1%, while a neighbour waits a few ms at most.
 */
const TARGET_MS = 4;

/** Larger batches gain nothing: at 500 the message costs less than 0.1 µs a task. */
export const MAX_BATCH = 500;

/** Share of the newest batch in the running mean of a handler's cost. */
const NEWEST = 0.3;

/** How many times larger the next batch may be than what was seen to be safe. */
const GROWTH = 4;

interface Estimate {
  meanMs: number;
  /** Batches may not be larger yet, whatever the mean says. */
  trusted: number;
}

/** What tasks were seen to cost, by handler, and how many may therefore travel together. */
export class CostModel {
  readonly #byHandler = new Map<string, Estimate>();
  #overall: Estimate | undefined;

  /** `count` tasks of a handler took `totalMs` together. */
  observe(handler: string, count: number, totalMs: number): void {
    this.#byHandler.set(handler, update(this.#byHandler.get(handler), count, totalMs));
    this.#overall = update(this.#overall, count, totalMs);
  }

  /** The share of a batch that a task of this handler fills: 1 when it has to travel alone. */
  share(handler: string): number {
    return shareOf(this.#byHandler.get(handler));
  }

  /** How many tasks a batch will hold, by what was seen of all handlers together. */
  get typicalBatch(): number {
    return Math.max(1, Math.floor(1 / shareOf(this.#overall)));
  }
}

function update(estimate: Estimate | undefined, count: number, totalMs: number): Estimate {
  const mean = totalMs / count;
  if (estimate === undefined) return { meanMs: mean, trusted: GROWTH };
  return {
    meanMs: estimate.meanMs + NEWEST * (mean - estimate.meanMs),
    trusted: Math.min(MAX_BATCH, Math.max(estimate.trusted, count * GROWTH)),
  };
}

function shareOf(estimate: Estimate | undefined): number {
  if (estimate === undefined) return 1;
  return Math.min(1, Math.max(estimate.meanMs / TARGET_MS, 1 / estimate.trusted));
}
