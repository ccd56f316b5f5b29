import { DurationSummary } from '../../base/duration-summary.js';

/** How many durations lay in a range of the histogram. */
export interface Bucket {
  /** In ms; the range is without it, and from it on is the bucket before. */
  overMs: number;
  /** In ms; within the range. */
  upToMs: number;
  count: number;
}

/** Durations, and how they are spread. */
export class Durations extends DurationSummary {
  readonly #buckets: number[] = [];

  override add(ms: number): void {
    super.add(ms);
    const bucket = bucketOf(ms);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** From the first range that holds any to the last: each about twice the one before (1, 2, 5, 10 ms). */
  buckets(): Bucket[] {
    const first = this.#buckets.findIndex((count) => count > 0);
    if (first === -1) return [];
    return Array.from({ length: this.#buckets.length - first }, (_, index) => {
      const bucket = first + index;
      return { overMs: limitOf(bucket - 1), upToMs: limitOf(bucket), count: this.#buckets[bucket] ?? 0 };
    });
  }
}

const STEPS = [1, 2, 5];
const SMALLEST_MS = 0.1;

/** The highest duration of a bucket, ms: 0.1, 0.2, 0.5, 1, … */
function limitOf(bucket: number): number {
  if (bucket < 0) return 0;
  // Divided by whole numbers: 0.1 * 2 is 0.2, but 0.1 * 3 is no 0.3.
  return (STEPS[bucket % 3]! * 10 ** Math.floor(bucket / 3)) / (1 / SMALLEST_MS);
}

function bucketOf(ms: number): number {
  let bucket = 0;
  while (limitOf(bucket) < ms) bucket++;
  return bucket;
}
