// @ts-check
/**
 * One executor, by turns without and with all that its health does, at many
 * times its pace: once a second it is lost in the noise. Tells the tasks a
 * second of each, and how far two turns without differ.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Heartbeat } from '../../../dist/runtime/health/heartbeat.js';
import { serveHealth } from '../../../dist/runtime/health/http-server.js';
import { noopExecutor, throughput } from '../noop-executor.mjs';
import { settingsOfProcess } from '../race.mjs';
import { stateFolder } from '../state-folder.mjs';

/** @type {{ tasks: number, windowMs: number, rounds: number, pace: number }} */
const { tasks, windowMs, rounds, pace } = settingsOfProcess();
const everyMs = 1000 / pace;

/** The one of the executor: there is no option to run without. @type {Heartbeat | undefined} */
let heartbeat;
const start = Heartbeat.prototype.start;
Heartbeat.prototype.start = function () {
  // eslint-disable-next-line unicorn/no-this-assignment
  heartbeat = this;
  start.call(this);
};

const state = stateFolder();
const executor = await noopExecutor(state.path);
const server = await serveHealth({ host: '127.0.0.1', port: 0 });
server.serve(executor);
const scraper = fork(fileURLToPath(new URL('./scraper.mjs', import.meta.url)), [
  `${server.url}/metrics`,
  String(everyMs),
]);

for (let ms = 0; ms < 3000; ms += 1000) await throughput(executor, tasks, 1000);
heartbeat?.stop();
/** @type {{ on: number[], off: number[], noise: number[] }} */
const figures = { on: [], off: [], noise: [] };
for (let round = 0; round < rounds; round++) {
  // In turn, so that what warms up or tires falls on both.
  const before = await throughput(executor, tasks, windowMs);
  const on = [await withHealth(), await withHealth()];
  const after = await throughput(executor, tasks, windowMs);
  figures.on.push(mean(on));
  figures.off.push(mean([before, after]));
  figures.noise.push(after / before);
}
process.send?.(figures);
process.exit();

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function withHealth() {
  heartbeat?.start();
  // Each start begins with a beat, and each beat is followed by a snapshot.
  const timer = setInterval(() => {
    heartbeat?.stop();
    heartbeat?.start();
  }, everyMs);
  scraper.send('on');
  const figure = await throughput(executor, tasks, windowMs);
  scraper.send('off');
  clearInterval(timer);
  heartbeat?.stop();
  return figure;
}
