/** The metrics of an executor, for Prometheus. Loads prom-client: import it with `await import()`. */
import { collectDefaultMetrics, Counter, Gauge, Registry, Summary } from 'prom-client';
import type { ExecutorStatus } from '../status.js';
import { MODES, THREAD_STATES } from './snapshot.js';

export interface Metrics {
  contentType: string;
  /** All metrics, as of this status. */
  text(status: ExecutorStatus): Promise<string>;
}

type Times = Pick<ExecutorStatus['statistics'], 'taskMs' | 'timed'>;

/** A summary of what was measured elsewhere: prom-client's own would have to see each task. */
class TaskDurations extends Summary {
  readonly #metric: { name: string; help: string };
  times: Times = { taskMs: null, timed: { count: 0, sumMs: 0 } };

  constructor(metric: { name: string; help: string; registers: Registry[] }) {
    super(metric);
    this.#metric = metric;
  }

  override async get(): ReturnType<Summary['get']> {
    const { name, help } = this.#metric;
    const { taskMs: ms, timed } = this.times;
    const quantiles =
      ms === null
        ? []
        : ([
            [0.5, ms.p50],
            [0.95, ms.p95],
            [0.99, ms.p99],
            [1, ms.max],
          ] as const);
    const values = [
      ...quantiles.map(([quantile, value]) => ({ labels: { quantile }, value: value / 1000 })),
      { metricName: `${name}_sum`, labels: {}, value: timed.sumMs / 1000 },
      { metricName: `${name}_count`, labels: {}, value: timed.count },
    ];
    return { ...(await super.get()), name, help, values };
  }
}

/** Metrics in a registry of their own, those of the process along with them: handlers may have one too. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `holdfast_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `holdfast_${name}`, help, labelNames, registers });

  const tasks = gauge('tasks', 'Tasks of the run, by state.', 'state');
  const outcomes = counter('outcomes_total', 'Outcomes recorded by this executor, by state.', 'state');
  const durations = new TaskDurations({
    name: 'holdfast_task_duration_seconds',
    help: 'Time of the last attempt of the tasks that this executor ran.',
    registers,
  });
  const threads = gauge('threads', 'Worker threads, by state.', 'state');
  const heap = gauge('thread_heap_bytes', 'Heap of a worker thread in use after its last batch.', 'thread');
  const beats = counter('beats_total', 'Beats: proofs that the queue answers and the threads turn.');
  const missed = counter('missed_beats_total', 'Beats that did not come.');
  const epoch = gauge('queue_epoch', 'Raised by one with each executor of the run.');
  const mode = gauge('mode', '1 for the mode that the executor is in, else 0.', 'mode');
  collectDefaultMetrics({ register: registry });

  return {
    contentType: registry.contentType,
    text(status) {
      for (const [state, count] of Object.entries(status.counts)) tasks.set({ state }, count);
      const { outcomes: ended, ...times } = status.statistics;
      // A counter of prom-client cannot be set.
      outcomes.reset();
      for (const [state, count] of Object.entries(ended)) outcomes.inc({ state }, count);
      durations.times = times;
      for (const state of THREAD_STATES) {
        threads.set({ state }, status.threads.filter((thread) => thread.state === state).length);
      }
      // Those that are gone have none.
      heap.reset();
      for (const { number, heapUsed } of status.threads) heap.set({ thread: number }, heapUsed);
      beats.reset();
      beats.inc(status.health.lastBeat?.count ?? 0);
      missed.reset();
      missed.inc(status.health.missedBeats);
      epoch.set(status.epoch);
      for (const each of MODES) mode.set({ mode: each }, each === status.mode ? 1 : 0);
      return registry.metrics();
    },
  };
}
