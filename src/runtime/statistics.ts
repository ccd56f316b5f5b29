import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Outcome } from './task.js';

/** What a run has done since this executor started. */
export interface RunStatistics {
  /** Milliseconds since the executor started. */
  elapsedMs: number;
  /** Outcomes recorded. */
  settled: number;
  /** Of the last attempts, in ms; `null` before the first. Tasks that never started are left out. */
  taskMs: { p50: number; p95: number; p99: number; max: number } | null;
  /** Share of the threads' time, loading aside, that they had work, 0 to 1. */
  busy: number;
}

/** Counts and times of one executor. */
export class Statistics {
  readonly #durations: RecordableHistogram = createHistogram();
  readonly #startedAt = performance.now();
  #settled = 0;

  record({ startedAt, durationMs }: Pick<Outcome, 'startedAt' | 'durationMs'>): void {
    this.#settled++;
    // The histogram holds whole numbers from 1: microseconds.
    if (startedAt !== null) this.#durations.record(Math.max(1, Math.round(durationMs * 1000)));
  }

  /** @param busyMs @param readyMs of all threads together */
  snapshot(busyMs: number, readyMs: number): RunStatistics {
    const at = (percentile: number) => this.#durations.percentile(percentile) / 1000;
    return {
      elapsedMs: performance.now() - this.#startedAt,
      settled: this.#settled,
      taskMs:
        this.#durations.count === 0 ? null : { p50: at(50), p95: at(95), p99: at(99), max: this.#durations.max / 1000 },
      busy: readyMs === 0 ? 0 : Math.min(1, busyMs / readyMs),
    };
  }
}
