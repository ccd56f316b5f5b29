import type { ClaimedTask } from '../../queue/contract.js';

/**
 * How much work a message should carry, in ms. The message costs about 30 µs,
 * and its outcomes an fsync of 0.1 ms and more, during which nothing else is
 * dispatched: with 4 ms here, tasks of 2 ms ran at 0.75 of raw Piscina. A
 * neighbour waits as long at most.
 */
const TARGET_MS = 10;

/**
 * How much work a thread should have waiting in the main thread's hand, in ms,
 * when that was just filled: what is left when it is filled anew has to last
 * until the queue has answered. Tasks that take longer are claimed when a lane
 * is free: they could only wait.
 */
const AHEAD_MS = 40;

/** How much input a message should carry, in bytes (characters of text): it is copied, and held twice for a while. */
const TARGET_BYTES = 2 ** 20;

/** Larger batches gain nothing: at 500 the message costs less than 0.1 µs a task. */
export const MAX_BATCH = 500;

/** Share of the newest batch in the running mean of a handler's cost. */
const NEWEST = 0.3;

/** How many times larger the next batch may be than what was seen to be safe. */
const GROWTH = 4;

interface Estimate {
  meanMs: number;
  meanBytes: number;
  /** Batches may not be larger yet, whatever the mean says. */
  trusted: number;
}

/** What tasks were seen to cost, by handler, and how many may therefore travel together. */
export class CostModel {
  readonly #byHandler = new Map<string, Estimate>();
  #overall: Estimate | undefined;

  /** `count` tasks of a handler took `totalMs` together, and their inputs `totalBytes`. */
  observe(handler: string, count: number, totalMs: number, totalBytes: number): void {
    this.#byHandler.set(handler, update(this.#byHandler.get(handler), count, totalMs, totalBytes));
    this.#overall = update(this.#overall, count, totalMs, totalBytes);
  }

  /** What tasks took that ended one after the other, each so many ms. */
  learn(tasks: readonly Pick<ClaimedTask, 'handler' | 'input'>[], durations: ArrayLike<number>): void {
    let start = 0;
    while (start < tasks.length) {
      const { handler } = tasks[start]!;
      let end = start;
      let totalMs = 0;
      let totalBytes = 0;
      for (; end < tasks.length && tasks[end]!.handler === handler; end++) {
        totalMs += durations[end]!;
        totalBytes += tasks[end]!.input.length;
      }
      this.observe(handler, end - start, totalMs, totalBytes);
      start = end;
    }
  }

  /** The share of a batch that a task fills: 1 when it has to travel alone. */
  share(handler: string, inputBytes: number): number {
    return Math.max(shareOf(this.#byHandler.get(handler)), Math.min(1, inputBytes / TARGET_BYTES));
  }

  /** How many tasks a batch will hold, by what was seen of all handlers together. */
  get typicalBatch(): number {
    return Math.max(1, Math.floor(1 / shareOf(this.#overall)));
  }

  /** How many tasks should wait for each thread. */
  get ahead(): number {
    if (this.#overall === undefined || this.#overall.meanMs >= AHEAD_MS) return 0;
    const { meanMs, meanBytes, trusted } = this.#overall;
    return Math.max(1, Math.floor(Math.min(AHEAD_MS / meanMs, TARGET_BYTES / meanBytes, trusted)));
  }
}

function update(estimate: Estimate | undefined, count: number, totalMs: number, totalBytes: number): Estimate {
  const meanMs = totalMs / count;
  const meanBytes = totalBytes / count;
  if (estimate === undefined) return { meanMs, meanBytes, trusted: GROWTH };
  return {
    meanMs: estimate.meanMs + NEWEST * (meanMs - estimate.meanMs),
    meanBytes: estimate.meanBytes + NEWEST * (meanBytes - estimate.meanBytes),
    trusted: Math.min(MAX_BATCH, Math.max(estimate.trusted, count * GROWTH)),
  };
}

function shareOf(estimate: Estimate | undefined): number {
  if (estimate === undefined) return 1;
  const { meanMs, meanBytes, trusted } = estimate;
  return Math.min(1, Math.max(meanMs / TARGET_MS, meanBytes / TARGET_BYTES, 1 / trusted));
}
