// @ts-check
/** One load in a process that something keeps account of; tells one figure. */
import { watchers } from '../contenders/watchers.mjs';
import { settingsOfProcess, tellFigure, warm } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';
import { percentile } from '../statistics.mjs';

/** @typedef {{ watcher: string, load: 'awaits' | 'tasks', count: number }} HooksSettings */

/** @type {HooksSettings} */
const { watcher, load, count } = settingsOfProcess();
await watchers[watcher]?.();

/** @type {Record<HooksSettings['load'], () => Promise<() => Promise<number>>>} */
const loads = {
  /** Awaits a second, of functions that await one another. */
  async awaits() {
    const inner = async (/** @type {number} */ value) => value + 1;
    const outer = async (/** @type {number} */ value) => inner(await inner(await inner(value)));
    return async () => {
      const start = performance.now();
      for (let turn = 0; turn < count; turn += 3) await outer(turn);
      return (count * 1000) / (performance.now() - start);
    };
  },

  /** No-op tasks a second, of an executor with two threads: all submitted at once, with a promise each, all awaited. */
  async tasks() {
    const { noopExecutor, throughput } = await import('../noop-executor.mjs');
    const state = stateFolder();
    process.once('exit', () => state.remove());
    const executor = await noopExecutor(state.path);
    return () => throughput(executor, count, 0);
  },
};

const figures = await warm(await loads[load]());
tellFigure(percentile(figures, 0.5));
process.exit();
