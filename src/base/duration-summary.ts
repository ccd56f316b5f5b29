import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** In ms. */
export interface Percentiles {
  /** Half of them took no longer. */
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Durations, in memory that does not grow with their number. */
export class DurationSummary {
  /** Holds whole numbers from 1: microseconds. */
  readonly #histogram: RecordableHistogram = createHistogram();

  add(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1_000)));
  }

  get count(): number {
    return this.#histogram.count;
  }

  /** All of them together, in ms. */
  get sumMs(): number {
    return this.count === 0 ? 0 : (this.count * this.#histogram.mean) / 1_000;
  }

  /** `null` as long as there is none. */
  percentiles(): Percentiles | null {
    if (this.count === 0) return null;
    const at = (percentile: number) => this.#histogram.percentile(percentile) / 1_000;
    return { p50: at(50), p95: at(95), p99: at(99), max: this.#histogram.max / 1_000 };
  }
}
