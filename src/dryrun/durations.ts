import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** In ms. */
export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** How many durations lay in a range of the histogram. */
export interface Bucket {
  /** In ms; the range is without it, and from it on is the bucket before. */
  overMs: number;
  /** In ms; within the range. */
  upToMs: number;
  count: number;
}

/** Durations, in memory that does not grow with their number. */
export class Durations {
  /** Holds whole numbers from 1: microseconds. */
  readonly #histogram: RecordableHistogram = createHistogram();
  readonly #buckets: number[] = [];

  add(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1_000)));
    const bucket = bucketOf(ms);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** `null` as long as there is none. */
  percentiles(): Percentiles | null {
    const histogram = this.#histogram;
    if (histogram.count === 0) return null;
    const at = (percentile: number) => histogram.percentile(percentile) / 1_000;
    return { p50: at(50), p95: at(95), p99: at(99), max: histogram.max / 1_000 };
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
