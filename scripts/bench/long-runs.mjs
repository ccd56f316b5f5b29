// @ts-check
/** Rows 22 and 23: runs of many tasks, by default fewer than before a release. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { below, rowOfRace } from './row.mjs';
import { before } from './build.mjs';
import { processTree } from './process-tree.mjs';
import { stateFolder } from './state-folder.mjs';
import { LongRun, writeTasks } from './watched-run.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./watched-run.mjs').Watched} Watched */

const ROUNDS = 3;
const NAME = 'runtime run';
/** The reader comes when so much of the time has passed that a run takes without one. */
const READER_AT = 0.25;
const DEADLINE_MS = 600_000;

/** Row 22. @type {Group} */
export const left = {
  ids: [22],
  async measure(_, { against, longTasks }) {
    /** @type {Record<string, number[]>} */
    const slower = {};
    /** @type {Record<string, number[]>} */
    const log = {};
    await withTasks(longTasks, async (tasks) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const [name, dist] of builds(against)) {
          const alone = await inFolder((folder) => new LongRun(folder, tasks, dist).toItsEnd());
          const beside = await inFolder((folder) => withReader(new LongRun(folder, tasks, dist), READER_AT * alone.ms));
          (slower[name] ??= []).push(100 * (beside.ms / alone.ms - 1));
          (log[name] ??= []).push(beside.log);
        }
      }
    });
    const common = { id: 22, ours: NAME, peers: [] };
    const count = longTasks.toLocaleString('en');
    return [
      rowOfRace({
        ...common,
        figures: slower,
        what: `\`runtime results\` left open through a run of ${count} tasks: slower by`,
        unit: '%',
        bar: below(10, '%'),
        how:
          `\`runtime run\` of ${count} no-op tasks from a file, from spawn to exit, without a reader and with one: ` +
          `\`runtime results\` into a pipe that nobody reads, begun when a quarter of the time has passed; ${ROUNDS} rounds.`,
      }),
      rowOfRace({
        ...common,
        figures: log,
        what: 'the same: largest write-ahead log',
        unit: 'MB',
        bar: below(256, 'MB'),
        how: 'The size of queue.db-wal, looked at ten times a second.',
      }),
    ];
  },
};

/** Row 23. @type {Group} */
export const long = {
  ids: [23],
  async measure(_, { against, longTasks }) {
    /** @type {Record<'memory' | 'growth' | 'log' | 'size' | 'takeover' | 'ready' | 'again', Record<string, number[]>>} */
    const figures = { memory: {}, growth: {}, log: {}, size: {}, takeover: {}, ready: {}, again: {} };
    let processes = '';
    await withTasks(longTasks, async (tasks) => {
      for (const [name, dist] of builds(against)) {
        const { watched, size } = await inFolder(async (folder) => {
          const run = new LongRun(folder, tasks, dist);
          return { watched: await run.toItsEnd(), size: run.size };
        });
        figures.memory[name] = [highest(watched, 0, 1)];
        figures.growth[name] = [100 * (highest(watched, 0.75, 1) / highest(watched, 0.25, 0.5) - 1)];
        figures.log[name] = [watched.log];
        figures.size[name] = [size / longTasks];
        if (dist === undefined) processes = peaks(watched);
        const { takeover, ready, again } = await inFolder((folder) =>
          killedInTheMiddle(new LongRun(folder, tasks, dist), watched.ms),
        );
        figures.takeover[name] = [takeover];
        figures.ready[name] = [ready];
        figures.again[name] = [again];
      }
    });
    const common = { id: 23, ours: NAME, peers: [] };
    const count = longTasks.toLocaleString('en');
    return [
      rowOfRace({
        ...common,
        figures: figures.memory,
        what: `${count} tasks from a file: memory of all processes together`,
        unit: 'MB',
        how: `\`runtime run\`, no-op tasks, two threads, looked at ten times a second: the most at any look. The highest of each: ${processes}.`,
      }),
      rowOfRace({
        ...common,
        figures: figures.growth,
        what: 'the same: more in the last quarter of the time than in the second by',
        unit: '%',
        bar: below(15, '%'),
        how: 'The most at any look of each. Of a run of a few seconds it says little.',
      }),
      rowOfRace({
        ...common,
        figures: figures.log,
        what: 'the same: largest write-ahead log',
        unit: 'MB',
        bar: below(256, 'MB'),
        how: 'The size of queue.db-wal, looked at ten times a second.',
      }),
      rowOfRace({
        ...common,
        figures: figures.size,
        what: 'the same: on disk at the end, a task',
        unit: 'bytes',
        how: 'The file of the queue with its log, by the number of tasks. An input has 29 bytes as JSON, a result none, an id of the queue none.',
      }),
      rowOfRace({
        ...common,
        figures: figures.takeover,
        what: "the same, executor killed in the middle: to the next task's start",
        unit: 'ms',
        bar: below(2000, 'ms'),
        how: 'From SIGKILL of the executor, some time after its first task: a third of what the run takes.',
      }),
      rowOfRace({
        ...common,
        figures: figures.ready,
        what: 'the same, all killed in the middle: from the same command until its executor has started',
        unit: 'ms',
        bar: below(2000, 'ms'),
        how: 'From spawn of the same command, after SIGKILL of all of its processes, until the queue is open, recovered, and gives out tasks.',
      }),
      rowOfRace({
        ...common,
        figures: figures.again,
        what: "the same: to the next task's start",
        unit: 'ms',
        bar: below(2000, 'ms'),
        how: 'What waits runs once the input names it again, so all lines are read that come before the next task: here about half of them.',
      }),
    ];
  },
};

/** @param {string | undefined} against @returns {(readonly [name: string, dist: string | undefined])[]} */
function builds(against) {
  return [[NAME, undefined], ...(against === undefined ? [] : [/** @type {const} */ ([before(NAME), against])])];
}

/** @param {number} count @param {(tasks: string) => Promise<void>} measure */
async function withTasks(count, measure) {
  await inFolder(async (folder) => {
    const tasks = join(folder, 'tasks.ndjson');
    await writeTasks(tasks, count);
    await measure(tasks);
  });
}

/** @template T @param {(folder: string) => Promise<T>} measure @returns {Promise<T>} */
async function inFolder(measure) {
  const state = stateFolder();
  try {
    return await measure(state.path);
  } finally {
    state.remove();
  }
}

/** @param {LongRun} run @param {number} after ms @returns {Promise<Watched>} */
async function withReader(run, after) {
  /** @type {ReturnType<LongRun['readALittle']> | undefined} */
  let reader;
  const watched = await run.toItsEnd((ms) => {
    // One that has found less than fits into its pipe has ended.
    if (ms >= after && (reader === undefined || reader.exitCode !== null)) reader = run.readALittle();
  });
  if (reader === undefined || reader.exitCode !== null) throw new Error('the reader did not stay beside the run');
  reader.kill('SIGKILL');
  return watched;
}

/** The most that all processes held together between two shares of the time, MB. @param {Watched} watched @param {number} from @param {number} to */
function highest({ looks, ms }, from, to) {
  const sums = looks
    .filter(({ at }) => at >= from * ms && at <= to * ms)
    .map(({ processes }) => processes.reduce((sum, { resident }) => sum + resident, 0));
  return Math.max(...sums);
}

/** @param {Watched} watched */
function peaks({ looks }) {
  /** @type {Map<string, number>} */
  const peaks = new Map();
  for (const { name, peak } of looks.flatMap(({ processes }) => processes)) {
    peaks.set(name, Math.max(peak, peaks.get(name) ?? 0));
  }
  return [...peaks].map(([name, peak]) => `${name} ${peak.toFixed(0)} MB`).join(', ');
}

/** @param {LongRun} run @param {number} whole ms that it takes undisturbed */
async function killedInTheMiddle(run, whole) {
  const first = run.start();
  const { pid } = await startAfter(run, first.startedAt);
  await delay(whole / 3);
  const killedAt = process.hrtime.bigint();
  process.kill(pid, 'SIGKILL');
  const takeover = (await startAfter(run, killedAt)).at - killedAt;
  await delay(whole / 3);
  killTree(first.command);
  await first.words;
  const second = run.start();
  const again = (await startAfter(run, second.startedAt)).at - second.startedAt;
  while (run.executorStartedAt < second.wallClock) await delay(20);
  const ready = run.executorStartedAt - second.wallClock;
  killTree(second.command);
  await second.words;
  return { takeover: Number(takeover) / 1e6, ready, again: Number(again) / 1e6 };
}

/** @param {import('node:child_process').ChildProcess} command */
function killTree({ pid = 0 }) {
  for (const each of processTree(pid)) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended with the one above it.
    }
  }
}

/** @param {LongRun} run @param {bigint} after @returns {Promise<import('./starts.mjs').Started>} of the first task after it */
async function startAfter(run, after) {
  for (const deadline = performance.now() + DEADLINE_MS; performance.now() < deadline; await delay(20)) {
    const next = run.starts.find(({ at }) => at > after);
    if (next !== undefined) return next;
  }
  throw new Error('no task has started again');
}
