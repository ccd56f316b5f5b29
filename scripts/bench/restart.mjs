// @ts-check
/** Row 21: how long no task runs when an executor has died. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { before, commandOf } from './build.mjs';
import { race } from './race.mjs';
import { below, rowOfRace } from './row.mjs';
import { startsOf } from './starts.mjs';
import { stateFolder } from './state-folder.mjs';
import { percentile } from './statistics.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {import('./starts.mjs').Started} Started */

const ROUNDS = 4;
const KILLS = 8;
/** Of a millisecond or so. */
const SPIN_ROUNDS = 500_000;
/** More than are done before the last kill. */
const TASKS = 10_000;
/** An executor works for so many tasks before it is killed. */
const TASKS_BETWEEN = 100;
/** No start takes so long; then the harness itself is at fault. */
const DEADLINE_MS = 30_000;

const HANDLERS = fileURLToPath(new URL('./threads/started.mjs', import.meta.url));

/** @type {Group} */
export const restart = {
  ids: [21],
  async measure(_, { against }) {
    const contenders = [
      { name: 'runtime run', measure: () => medianRestart(undefined) },
      ...(against === undefined ? [] : [{ name: before('runtime run'), measure: () => medianRestart(against) }]),
    ];
    return [
      rowOfRace({
        figures: await race(contenders, ROUNDS),
        id: 21,
        what: "restart after the executor's death: to the next task, p50",
        unit: 'ms',
        ours: 'runtime run',
        peers: [],
        bar: below(110, 'ms'),
        how:
          `\`runtime run\` of tasks of about a millisecond, two threads; its executor is killed with SIGKILL ${KILLS} times, ` +
          `each time after ${TASKS_BETWEEN} tasks. From the kill to the start of the next task, by the clock of the machine; ` +
          `the median of each of ${ROUNDS} runs.`,
      }),
    ];
  },
};

/** @param {string | undefined} dist */
async function medianRestart(dist) {
  const state = stateFolder();
  const tasks = join(state.path, 'tasks.ndjson');
  const evidence = join(state.path, 'started');
  writeFileSync(tasks, Array.from({ length: TASKS }, () => `{"input":${SPIN_ROUNDS}}\n`).join(''));
  closeSync(openSync(evidence, 'w'));
  const command = spawn(
    process.execPath,
    [
      commandOf(dist),
      'run',
      HANDLERS,
      '--handler',
      'started',
      '--tasks',
      tasks,
      '--threads',
      '2',
      '--dir',
      state.path,
      '--quiet',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, BENCH_STARTED: evidence } },
  );
  const printed = text(command.stderr);
  /** @type {Set<number>} */
  const dead = new Set();
  let failed = true;
  try {
    const durations = [];
    let executor = await working(evidence, dead);
    for (let kill = 0; kill < KILLS; kill++) {
      const killedAt = process.hrtime.bigint();
      process.kill(executor, 'SIGKILL');
      dead.add(executor);
      executor = await working(evidence, dead);
      const { at } = /** @type {Started} */ (startsOf(evidence).find(({ pid }) => pid === executor));
      durations.push(Number(at - killedAt) / 1e6);
    }
    failed = false;
    return percentile(durations, 0.5);
  } finally {
    command.kill('SIGKILL');
    // With it goes its executor, which has the other end of this pipe.
    const words = await printed;
    state.remove();
    if (failed) process.stderr.write(words);
  }
}

/** The executor that lives and has run enough tasks. @param {string} evidence @param {ReadonlySet<number>} dead */
async function working(evidence, dead) {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const starts = startsOf(evidence).filter(({ pid }) => !dead.has(pid));
    const { pid } = starts.at(-1) ?? {};
    if (pid !== undefined && starts.filter((start) => start.pid === pid).length >= TASKS_BETWEEN) return pid;
    await delay(20);
  }
  throw new Error(`no executor has come to work after ${dead.size} were killed`);
}
