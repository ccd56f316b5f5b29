// @ts-check
/**
 * The pools, each with two threads and otherwise as its documentation shows
 * it. Each is loaded by itself, in a process of its own.
 */
import { fileURLToPath } from 'node:url';
import { stateFolder } from '../state-folder.mjs';

/**
 * @typedef {object} Pool
 * @property {(handler: string, input: unknown) => PromiseLike<unknown>} run
 * @property {() => PromiseLike<unknown>} stop
 */

const THREADS = 2;
const beside = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const HANDLERS = beside('../threads/handlers.mjs');

/** @type {Record<string, () => Promise<Pool>>} */
export const pools = {
  'holdfast in memory': () => holdfast(false),
  'holdfast on disk': () => holdfast(true),

  async piscina() {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({ filename: HANDLERS, minThreads: THREADS, maxThreads: THREADS });
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
 * @returns {Promise<Pool>}
 */
async function holdfast(durable) {
  const { createExecutor } = await import('../../../dist/index.js');
  const state = stateFolder();
  const executor = await createExecutor({
    runId: 'bench',
    handlers: HANDLERS,
    dir: state.path,
    threads: THREADS,
    durable,
  });
  return {
    run: (name, input) => executor.submit(name, input),
    stop: async () => {
      await executor.stop();
      state.remove();
    },
  };
}
