// @ts-check
/**
 * One executor, by turns without dumps and with them, at many times their
 * pace: once in ten seconds they are lost in the noise. Tells the tasks a
 * second of each, how far two turns without differ, and how many dumps there
 * were, and walks through a heap in them.
 */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { createExecutor } from '../../../dist/index.js';
import { inspectSelf } from '../../../dist/debug/inspect-self.js';
import { TraceLog } from '../../../dist/debug/trace/trace-log.js';
import { settingsOfProcess } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';

/** @type {{ tasks: number, windowMs: number, rounds: number, intervalMs: number, maxPauseMs: number }} */
const { tasks, windowMs, rounds, intervalMs, maxPauseMs } = settingsOfProcess();

const state = stateFolder();
const executor = await createExecutor({
  runId: 'bench',
  handlers: fileURLToPath(new URL('../threads/handlers.mjs', import.meta.url)),
  dir: state.path,
  threads: 2,
  durable: false,
});

const counts = { dumps: 0, walks: 0 };
for (let ms = 0; ms < 3000; ms += 1000) await throughput(1000);
/** @type {{ on: number[], off: number[], noise: number[] }} */
const figures = { on: [], off: [], noise: [] };
for (let round = 0; round < rounds; round++) {
  // In turn, so that what warms up or tires falls on both.
  const before = await throughput(windowMs);
  figures.on.push(await withDumps());
  const after = await throughput(windowMs);
  figures.off.push((before + after) / 2);
  figures.noise.push(after / before);
}
process.send?.({ ...figures, ...counts });
state.remove();
process.exit();

async function withDumps() {
  const log = new TraceLog({
    path: join(state.path, 'trace.log'),
    title: 'bench',
    intervalMs,
    firstAfterMs: 0,
    maxPauseMs,
    json: false,
    look: async () => {
      const inspection = await inspectSelf({ maxPauseMs });
      counts.dumps++;
      counts.walks += inspection.threads.filter(({ view }) => view === 'whole').length;
      return inspection;
    },
    onUnwritable: (error) => {
      throw error;
    },
  });
  const figure = await throughput(windowMs);
  await log.end({ lastDump: false, withinMs: 5000 });
  return figure;
}

/** Tasks a second: all of a repetition are submitted at once, with a promise each, and all are awaited. */
async function throughput(/** @type {number} */ forMs) {
  const begun = performance.now();
  let done = 0;
  while (performance.now() - begun < forMs) {
    const promises = new Array(tasks);
    for (let i = 0; i < tasks; i++) promises[i] = executor.submit('noop', 7);
    for (const promise of promises) await promise;
    done += tasks;
  }
  return (done * 1000) / (performance.now() - begun);
}
