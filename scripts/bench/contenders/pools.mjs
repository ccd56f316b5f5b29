// @ts-check
/**
 * The pools, each with two threads and otherwise as its documentation shows
 * it. Each is loaded by itself, in a process of its own.
 */
import { fileURLToPath } from 'node:url';
import { built } from '../build.mjs';
import { stateFolder } from '../state-folder.mjs';

/**
 * @typedef {object} Pool
 * @property {(handler: string, input: unknown, id?: string) => PromiseLike<unknown>} run only ours has a use for an id
 * @property {() => PromiseLike<unknown>} stop
 */

const THREADS = 2;
const beside = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const HANDLERS = beside('../threads/handlers.mjs');

/** By name; `concurrency`: tasks that a thread may have in flight. @type {Record<string, (concurrency: number) => Promise<Pool>>} */
export const pools = {
  'holdfast in memory': (concurrency) => holdfast(false, concurrency),
  'holdfast on disk': (concurrency) => holdfast(true, concurrency),

  async piscina(concurrentTasksPerWorker) {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({
      filename: HANDLERS,
      minThreads: THREADS,
      maxThreads: THREADS,
      concurrentTasksPerWorker,
    });
    return { run: (name, input) => pool.run(input, { name }), stop: () => pool.destroy() };
  },

  async tinypool() {
    const { Tinypool } = await import('tinypool');
    const pool = new Tinypool({ filename: HANDLERS, minThreads: THREADS, maxThreads: THREADS });
    return { run: (name, input) => pool.run(input, { name }), stop: () => pool.destroy() };
  },

  async workerpool() {
    const { pool: createPool } = await import('workerpool');
    const pool = createPool(beside('../threads/workerpool.mjs'), {
      workerType: 'thread',
      minWorkers: THREADS,
      maxWorkers: THREADS,
    });
    // Its promises are of its own make; to wrap them would slow it down.
    return /** @type {Pool} */ (
      /** @type {unknown} */ ({
        run: (/** @type {string} */ name, /** @type {unknown} */ input) => pool.exec(name, [input]),
        stop: () => pool.terminate(),
      })
    );
  },

  async poolifier() {
    const { FixedThreadPool } = await import('poolifier');
    const pool = new FixedThreadPool(THREADS, beside('../threads/poolifier.mjs'));
    return { run: (name, input) => pool.execute(input, name), stop: () => pool.destroy() };
  },
};

/**
 * @param {boolean} durable
 * @param {number} concurrency
 * @returns {Promise<Pool>}
 */
async function holdfast(durable, concurrency) {
  const { createExecutor } = await built();
  const state = stateFolder();
  const executor = await createExecutor({
    runId: 'bench',
    handlers: HANDLERS,
    dir: state.path,
    threads: THREADS,
    concurrency,
    durable,
  });
  return {
    run: (name, input, id) => (id === undefined ? executor.submit(name, input) : executor.submit(name, input, { id })),
    stop: async () => {
      await executor.stop();
      state.remove();
    },
  };
}
