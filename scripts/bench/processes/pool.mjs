// @ts-check
/** One pool under one load; tells one figure. */
import { setTimeout as delay } from 'node:timers/promises';
import { pools } from '../contenders/pools.mjs';
import { settingsOfProcess, tellFigure, warm } from '../race.mjs';
import { percentile } from '../statistics.mjs';

/**
 * @typedef {object} PoolSettings
 * @property {string} pool
 * @property {'throughput' | 'throughput with ids' | 'latency'} load
 * @property {string} handler
 * @property {number} tasks
 * @property {number} input
 * @property {number} [concurrency] tasks that a thread may have in flight; by default 1
 */

/** @type {PoolSettings} */
const { pool: name, load, handler, tasks, input, concurrency = 1 } = settingsOfProcess();
const pool = await pools[name]?.(concurrency);
if (pool === undefined) throw new Error(`no such pool: ${name}`);

let repetition = 0;
const loads = {
  /** Tasks a second: all are submitted at once, with a promise each, and all are awaited. */
  async throughput() {
    const promises = new Array(tasks);
    const start = performance.now();
    for (let i = 0; i < tasks; i++) promises[i] = pool.run(handler, input);
    // Not Promise.all: at these speeds it would be a tenth of the time.
    for (const promise of promises) await promise;
    return (tasks * 1000) / (performance.now() - start);
  },

  /** As above, each task with an id as users give them, which they have before. */
  async 'throughput with ids'() {
    const round = repetition++;
    const ids = Array.from({ length: tasks }, (_, i) => `order-${round}-${i}`);
    const promises = new Array(tasks);
    const start = performance.now();
    for (let i = 0; i < tasks; i++) promises[i] = pool.run(handler, input, ids[i]);
    for (const promise of promises) await promise;
    return (tasks * 1000) / (performance.now() - start);
  },

  /** Median, in µs, from submit to result, of tasks that go one after the other. */
  async latency() {
    const durations = new Array(tasks);
    for (let i = 0; i < tasks; i++) {
      const start = performance.now();
      await pool.run(handler, input);
      durations[i] = performance.now() - start;
    }
    return percentile(durations, 0.5) * 1000;
  },
};

const figures = await warm(loads[load]);
tellFigure(percentile(figures, 0.5));
// How a pool stops is not measured, nor is it waited for without end.
await Promise.race([pool.stop(), delay(5000)]);
process.exit();
