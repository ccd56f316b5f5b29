// @ts-check
/** A thread that does nothing but tick. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

const TICK_MS = 2;

/**
 * Keeps the longest time between two ticks, beyond what it is to be, in ms.
 * @param {Float64Array} gaps
 * @param {number} index
 */
export function tick(gaps, index) {
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    gaps[index] = Math.max(gaps[index] ?? 0, now - last - TICK_MS);
    last = now;
  }, TICK_MS);
}

if (!isMainThread) {
  tick(workerData.gaps, workerData.index);
  parentPort?.postMessage('ready');
}
