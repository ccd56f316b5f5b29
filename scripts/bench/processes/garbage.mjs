// @ts-check
/**
 * No-op tasks with a promise each, all submitted at once, and what of the heap of the main thread they take. Tells the
 * bytes that are allocated for a task, or the share of the time, in %, that V8 spends on collecting them.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { noopExecutor } from '../noop-executor.mjs';
import { settingsOfProcess, tellFigure, warm } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';
import { percentile } from '../statistics.mjs';

/** @type {{ figure: 'bytes' | 'share', tasks: number }} */
const { figure, tasks } = settingsOfProcess();
const state = stateFolder();
const executor = await noopExecutor(state.path);
/** Of the last repetition. @type {Promise<unknown>[]} */
let promises = [];

let collections = 0;
let collectingMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    collections++;
    collectingMs += duration;
  }
}).observe({ entryTypes: ['gc'] });

const figures = {
  /** Nothing is collected meanwhile: what there is more in the end is what was allocated. */
  async bytes() {
    promises = new Array(tasks);
    globalThis.gc?.();
    // An observer is told of a collection some time after it.
    await delay(20);
    collections = 0;
    const before = getHeapStatistics().used_heap_size;
    for (let i = 0; i < tasks; i++) promises[i] = executor.submit('noop', 7);
    // To await each would cost the same with any pool, and more than is measured here.
    await executor.idle();
    const after = getHeapStatistics().used_heap_size;
    await delay(20);
    if (collections > 0) throw new Error('garbage was collected: the young generation is too small');
    return (after - before) / tasks;
  },

  async share() {
    collectingMs = 0;
    const start = performance.now();
    promises = new Array(tasks);
    for (let i = 0; i < tasks; i++) promises[i] = executor.submit('noop', 7);
    for (const promise of promises) await promise;
    const ms = performance.now() - start;
    await delay(20);
    return (collectingMs / ms) * 100;
  },
};

tellFigure(percentile(await warm(figures[figure]), 0.5));
await executor.stop();
state.remove();
