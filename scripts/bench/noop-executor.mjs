// @ts-check
import { fileURLToPath } from 'node:url';
import { built } from './build.mjs';

/** An executor of no-op tasks with two threads, its queue in memory. */
export async function noopExecutor(/** @type {string} */ dir) {
  const { createExecutor } = await built();
  return createExecutor({
    runId: 'bench',
    handlers: fileURLToPath(new URL('./threads/handlers.mjs', import.meta.url)),
    dir,
    threads: 2,
    durable: false,
  });
}

/**
 * Tasks a second: all of a repetition are submitted at once, with a promise each, and all are awaited.
 *
 * @param {Awaited<ReturnType<typeof noopExecutor>>} executor
 * @param {number} tasks in a repetition
 * @param {number} forMs repetitions begin for so long; 0: one
 */
export async function throughput(executor, tasks, forMs) {
  const begun = performance.now();
  let done = 0;
  do {
    const promises = new Array(tasks);
    for (let i = 0; i < tasks; i++) promises[i] = executor.submit('noop', 7);
    for (const promise of promises) await promise;
    done += tasks;
  } while (performance.now() - begun < forMs);
  return (done * 1000) / (performance.now() - begun);
}
