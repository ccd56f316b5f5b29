// @ts-check
/**
 * A process to look into: so many worker threads, and a heap as it is asked
 * for. Each thread ticks, and keeps the longest gap between two ticks in memory
 * that all share: what it was paused for, as seen from within.
 */
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { Worker } from 'node:worker_threads';
import { settingsOfProcess } from '../race.mjs';
import { fillHeap } from '../threads/heaps.mjs';
import { tick } from '../threads/ticking.mjs';

/** @typedef {{ threads: number, heap: 'fresh' | 'suspended' | 'objects', count: number }} InspectedSettings */

/** @type {InspectedSettings} */
const { threads, heap, count } = settingsOfProcess();
const gaps = new Float64Array(new SharedArrayBuffer(8 * (threads + 1)));

const workers = Array.from(
  { length: threads },
  (_, index) =>
    new Worker(fileURLToPath(new URL('../threads/ticking.mjs', import.meta.url)), {
      workerData: { gaps, index: index + 1 },
    }),
);
await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
fillHeap(heap, count);
tick(gaps, 0);

/** How long the last snapshot took to build, ms. */
let built = NaN;

/** @type {Record<string, () => number | Promise<number>>} */
const answers = {
  'forget gaps': () => Math.max(...gaps.fill(0)),
  gaps: () => Math.max(...gaps),

  async snapshot() {
    const start = performance.now();
    const snapshot = v8.getHeapSnapshot({ exposeNumericValues: true });
    built = performance.now() - start;
    for await (const _ of snapshot);
    return performance.now() - start;
  },

  'how long to build it': () => built,
};

process.on('message', (/** @type {string} */ question) => {
  void Promise.resolve(answers[question]?.()).then((answer) => process.send?.(answer));
});
process.send?.('ready');
