import { DurationSummary, type Percentiles } from '../base/duration-summary.js';
import type { Outcome, OutcomeState } from './task/task.js';

/** What a run has done since this executor started. */
export interface RunStatistics {
  /** Milliseconds since the executor started. */
  elapsedMs: number;
  /** Outcomes recorded. */
  settled: number;
  /** Those of them that ended in each state. */
  outcomes: Record<OutcomeState, number>;
  /** Of the last attempts, in ms; `null` before the first. Tasks that never started are left out. */
  taskMs: Percentiles | null;
  /** How many those were, and how long all together. */
  timed: { count: number; sumMs: number };
  /** Share of the threads' time, loading aside, that they had work, 0 to 1. */
  busy: number;
}

/** Counts and times of one executor. */
export class Statistics {
  readonly #durations = new DurationSummary();
  readonly #startedAt = performance.now();
  #settled = 0;
  readonly #outcomes: RunStatistics['outcomes'] = { done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 };

  record({ state, startedAt, durationMs }: Pick<Outcome, 'state' | 'startedAt' | 'durationMs'>): void {
    this.#settled++;
    this.#outcomes[state]++;
    if (startedAt !== null) this.#durations.add(durationMs);
  }

  /** @param busyMs @param readyMs of all threads together */
  snapshot(busyMs: number, readyMs: number): RunStatistics {
    const { count, sumMs } = this.#durations;
    return {
      elapsedMs: performance.now() - this.#startedAt,
      settled: this.#settled,
      outcomes: { ...this.#outcomes },
      taskMs: this.#durations.percentiles(),
      timed: { count, sumMs },
      busy: readyMs === 0 ? 0 : Math.min(1, busyMs / readyMs),
    };
  }
}
