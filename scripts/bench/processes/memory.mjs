// @ts-check
/** Holds many waiting tasks; tells the highest resident memory of the process, in MB. */
import { fileURLToPath } from 'node:url';
import { settingsOfProcess, tellFigure } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';

const HANDLERS = fileURLToPath(new URL('../threads/handlers.mjs', import.meta.url));
const CHUNK = 1000;

/** @type {{ holder: 'on disk' | 'in memory' | 'piscina', tasks: number }} */
const { holder, tasks } = settingsOfProcess();
const path = (/** @type {number} */ number) => `/data/photos/${String(number).padStart(10, '0')}.jpg`;

if (holder === 'piscina') await fillPiscina();
else await fillExecutor(holder === 'on disk');
process.exit();

/** @param {boolean} durable */
async function fillExecutor(durable) {
  const { createExecutor } = await import('../../../dist/index.js');
  const state = stateFolder();
  const executor = await createExecutor({ runId: 'bench', handlers: HANDLERS, dir: state.path, threads: 2, durable });
  executor.pause();
  for (let first = 0; first < tasks; first += CHUNK) {
    await executor.enqueue(
      Array.from({ length: CHUNK }, (_, index) => ({ handler: 'noop', input: path(first + index) })),
    );
  }
  const { queued } = await executor.counts();
  if (queued !== tasks) throw new Error(`${queued} tasks are queued, not ${tasks}`);
  tellPeak();
  await executor.stop();
  state.remove();
}

async function fillPiscina() {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({ filename: HANDLERS, minThreads: 2, maxThreads: 2 });
  // Not awaited: nothing but the waiting is measured.
  for (let number = 0; number < tasks; number++) void pool.run(path(number), { name: 'noop' });
  tellPeak();
}

function tellPeak() {
  tellFigure(process.resourceUsage().maxRSS / 1024);
}
