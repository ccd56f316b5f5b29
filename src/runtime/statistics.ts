import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Outcome, OutcomeState } from './task.js';

/** What a run has done since this executor started. */
export interface RunStatistics {
  /** Milliseconds since the executor started. */
  elapsedMs: number;
  /** Outcomes recorded. */
  settled: number;
  /** Those of them that ended in each state. */
  outcomes: Record<OutcomeState, number>;
  /** Of the last attempts, in ms; `null` before the first. Tasks that never started are left out. */
  taskMs: { p50: number; p95: number; p99: number; max: number } | null;
  /** How many those were, and how long all together. */
  timed: { count: number; sumMs: number };
  /** Share of the threads' time, loading aside, that they had work, 0 to 1. */
  busy: number;
}

/** Counts and times of one executor. */
export class Statistics {
  readonly #durations: RecordableHistogram = createHistogram();
  readonly #startedAt = performance.now();
  #settled = 0;
  readonly #outcomes: RunStatistics['outcomes'] = { done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 };

  record({ state, startedAt, durationMs }: Pick<Outcome, 'state' | 'startedAt' | 'durationMs'>): void {
    this.#settled++;
    this.#outcomes[state]++;
    // The histogram holds whole numbers from 1: microseconds.
    if (startedAt !== null) this.#durations.record(Math.max(1, Math.round(durationMs * 1000)));
  }

  /** @param busyMs @param readyMs of all threads together */
  snapshot(busyMs: number, readyMs: number): RunStatistics {
    const { count } = this.#durations;
    const at = (percentile: number) => this.#durations.percentile(percentile) / 1000;
    return {
      elapsedMs: performance.now() - this.#startedAt,
      settled: this.#settled,
      outcomes: { ...this.#outcomes },
      taskMs: count === 0 ? null : { p50: at(50), p95: at(95), p99: at(99), max: this.#durations.max / 1000 },
      timed: { count, sumMs: count === 0 ? 0 : (count * this.#durations.mean) / 1000 },
      busy: readyMs === 0 ? 0 : Math.min(1, busyMs / readyMs),
    };
  }
}
