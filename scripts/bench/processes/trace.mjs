// @ts-check
/**
 * One executor, by turns without dumps and with them, at many times their
 * pace: once in ten seconds they are lost in the noise. Tells the tasks a
 * second of each, how far two turns without differ, and how many dumps there
 * were, and walks through a heap in them.
 */
import { join } from 'node:path';
import { inspectSelf } from '../../../dist/debug/inspect-self.js';
import { TraceLog } from '../../../dist/debug/trace/trace-log.js';
import { noopExecutor, throughput } from '../noop-executor.mjs';
import { settingsOfProcess } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';

/** @type {{ tasks: number, windowMs: number, rounds: number, intervalMs: number, maxPauseMs: number }} */
const { tasks, windowMs, rounds, intervalMs, maxPauseMs } = settingsOfProcess();

const state = stateFolder();
const executor = await noopExecutor(state.path);

const counts = { dumps: 0, walks: 0 };
for (let ms = 0; ms < 3000; ms += 1000) await throughput(executor, tasks, 1000);
/** @type {{ on: number[], off: number[], noise: number[] }} */
const figures = { on: [], off: [], noise: [] };
for (let round = 0; round < rounds; round++) {
  // In turn, so that what warms up or tires falls on both.
  const before = await throughput(executor, tasks, windowMs);
  figures.on.push(await withDumps());
  const after = await throughput(executor, tasks, windowMs);
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
  const figure = await throughput(executor, tasks, windowMs);
  await log.end({ lastDump: false, withinMs: 5000 });
  return figure;
}
