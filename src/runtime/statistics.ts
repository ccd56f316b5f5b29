import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** What a run has done since this executor started. */
export interface RunStatistics {
  /** Milliseconds since the executor took its first task. */
  elapsedMs: number;
  /** Outcomes recorded. */
  settled: number;
  /** Of the last attempts, in ms; `null` before the first. */
  taskMs: { p50: number; p95: number; p99: number; max: number } | null;
  /** Share of the threads' time that they had work, 0 to 1. */
  busy: number;
}

/** Counts and times of one executor. */
export class Statistics {
  readonly #durations: RecordableHistogram = createHistogram();
  readonly #startedAt = performance.now();
  #settled = 0;

  record(durationMs: number): void {
    this.#settled++;
    // The histogram holds whole numbers from 1: microseconds.
    this.#durations.record(Math.max(1, Math.round(durationMs * 1000)));
  }

  /** @param busyMs of all threads together */
  snapshot(busyMs: number, threads: number): RunStatistics {
    const elapsedMs = performance.now() - this.#startedAt;
    const at = (percentile: number) => this.#durations.percentile(percentile) / 1000;
    return {
      elapsedMs,
      settled: this.#settled,
      taskMs: this.#settled === 0 ? null : { p50: at(50), p95: at(95), p99: at(99), max: this.#durations.max / 1000 },
      busy: Math.min(1, busyMs / (elapsedMs * threads)),
    };
  }
}
