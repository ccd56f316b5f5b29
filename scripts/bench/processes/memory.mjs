// @ts-check
/** Holds many waiting tasks; tells what it and the processes that it has started hold in memory. */
import { fileURLToPath } from 'node:url';
import { built } from '../build.mjs';
import { memoryOfTree } from '../process-tree.mjs';
import { settingsOfProcess } from '../race.mjs';
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
  const { createExecutor } = await built();
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
  tell();
  await executor.stop();
  state.remove();
}

async function fillPiscina() {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({ filename: HANDLERS, minThreads: 2, maxThreads: 2 });
  // Not awaited: nothing but the waiting is measured.
  for (let number = 0; number < tasks; number++) void pool.run(path(number), { name: 'noop' });
  tell();
}

function tell() {
  const [, ...others] = memoryOfTree(process.pid);
  process.send?.({ peak: process.resourceUsage().maxRSS / 1024, others });
}
