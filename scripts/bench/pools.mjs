// @ts-check
/** Rows 1 to 4 and 18 to 20: the pools side by side. */
import { before } from './build.mjs';
import { spin } from './threads/handlers.mjs';
import { figureOf, race } from './race.mjs';
import { atLeast, atMost, atMostBefore, notBelow, rowOfRace } from './row.mjs';
import { measured, ratios } from './statistics.mjs';
import { range } from './table.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {import('./race.mjs').Contender} Contender */
/** @typedef {Omit<import('./processes/pool.mjs').PoolSettings, 'pool'>} Load */

const PEERS = ['piscina', 'tinypool', 'workerpool', 'poolifier'];
const MEMORY = 'holdfast in memory';
const DISK = 'holdfast on disk';
const WITH_IDS = 'holdfast on disk, ids given';

/** What `piscina` is once more: how far two series of the very same thing differ. */
const CONTROL = 'piscina again';

/** Names in a race that are not those of pools. @type {Record<string, string>} */
const POOLS = { [CONTROL]: 'piscina', [WITH_IDS]: DISK };

const CPU_TASK_MS = 2;
const IO_TASK_MS = 20;
const IO_TASKS_A_THREAD = 64;

/**
 * @param {readonly string[]} names
 * @param {Load} load
 * @param {string | undefined} against `dist` of another build: what is ours enters the race with it, too
 * @returns {Contender[]}
 */
function contenders(names, load, against) {
  return names.flatMap((name) => {
    const settings = { ...load, pool: POOLS[name] ?? name };
    const of = (/** @type {string | undefined} */ dist) => () => figureOf('./processes/pool.mjs', settings, dist);
    const isOurs = settings.pool.startsWith('holdfast');
    return [
      { name, measure: of(undefined) },
      ...(isOurs && against !== undefined ? [{ name: before(name), measure: of(against) }] : []),
    ];
  });
}

/** @type {Group} */
export const noop = {
  ids: [1, 2, 18],
  async measure(wanted, { against }) {
    const tasks = 30_000;
    const rounds = 3;
    const load = { load: /** @type {const} */ ('throughput'), handler: 'noop', tasks, input: 7 };
    const ours = [...(wanted.has(1) ? [MEMORY] : []), ...(wanted.has(2) ? [DISK] : [])];
    const withIds = { ...load, load: /** @type {const} */ ('throughput with ids') };
    const figures = await race(
      [
        ...contenders(ours, load, against),
        ...contenders(wanted.has(18) ? [WITH_IDS] : [], withIds, against),
        ...contenders(PEERS, load, against),
      ],
      rounds,
    );
    const common = { figures, unit: /** @type {const} */ ('tasks/s'), peers: PEERS, baseline: 'piscina' };
    const how = `${tasks.toLocaleString('en')} tasks submitted at once, a promise each, all awaited; ${rounds} rounds.`;
    return [
      rowOfRace({
        ...common,
        id: 1,
        what: 'no-op tasks, memory queue, a promise each',
        ours: MEMORY,
        bar: atLeast(26),
        how,
      }),
      rowOfRace({
        ...common,
        id: 2,
        what: 'no-op tasks, SQLite with synchronous=FULL, submit to durable outcome',
        ours: DISK,
        bar: atLeast(5),
        how: `As row 1, in the same race; the peers keep everything in memory.`,
      }),
      rowOfRace({
        ...common,
        id: 18,
        what: 'the same, with ids given by the user',
        ours: WITH_IDS,
        bar: atLeast(4),
        how: 'As row 2, in the same race: each task has an id, a text of some 15 characters that no other task has.',
      }),
    ].filter(({ id }) => wanted.has(id));
  },
};

/** @type {Group} */
export const cpu = {
  ids: [3],
  async measure(_, { against }) {
    const tasks = 300;
    const rounds = 4;
    const input = roundsOfSpin(CPU_TASK_MS);
    const load = { load: /** @type {const} */ ('throughput'), handler: 'spin', tasks, input };
    const figures = await race(contenders([MEMORY, DISK, CONTROL, ...PEERS], load, against), rounds);
    const noise = noiseOf(figures);
    const common = {
      figures,
      id: 3,
      unit: /** @type {const} */ ('tasks/s'),
      peers: PEERS,
      baseline: 'piscina',
      bar: notBelow(noise),
    };
    return [
      rowOfRace({
        ...common,
        what: `CPU-bound tasks of about ${CPU_TASK_MS} ms, memory queue`,
        ours: MEMORY,
        how:
          `${tasks} tasks of ${input.toLocaleString('en')} rounds of xorshift, about ${CPU_TASK_MS} ms, submitted at once; ` +
          `${rounds} rounds. Noise: a second piscina in the same race came to ${range(noise)} times the first.`,
      }),
      rowOfRace({ ...common, what: 'the same, SQLite', ours: DISK, how: 'In the same race.' }),
    ];
  },
};

/** @type {Group} */
export const io = {
  ids: [19],
  async measure(_, { against }) {
    const tasks = 4096;
    const rounds = 4;
    const load = {
      load: /** @type {const} */ ('throughput'),
      handler: 'wait',
      tasks,
      input: IO_TASK_MS,
      concurrency: IO_TASKS_A_THREAD,
    };
    const figures = await race(contenders([DISK, CONTROL, 'piscina'], load, against), rounds);
    const noise = noiseOf(figures);
    return [
      rowOfRace({
        figures,
        id: 19,
        what: `tasks of ${IO_TASK_MS} ms awaiting I/O, ${IO_TASKS_A_THREAD} a thread, SQLite`,
        unit: 'tasks/s',
        ours: DISK,
        peers: ['piscina'],
        baseline: 'piscina',
        bar: notBelow(noise),
        how:
          `${tasks} tasks that await a timer of ${IO_TASK_MS} ms, submitted at once, two threads with ` +
          `${IO_TASKS_A_THREAD} in flight each (Piscina: concurrentTasksPerWorker); ${rounds} rounds. Noise: a second ` +
          `piscina in the same race came to ${range(noise)} times the first.`,
      }),
    ];
  },
};

/** @type {Group} */
export const latency = {
  ids: [4],
  async measure(_, { against }) {
    const tasks = 5000;
    const rounds = 4;
    const load = { load: /** @type {const} */ ('latency'), handler: 'noop', tasks, input: 7 };
    const figures = await race(contenders([MEMORY, ...PEERS], load, against), rounds);
    return [
      rowOfRace({
        figures,
        id: 4,
        what: 'one task at a time, memory queue, p50 latency',
        unit: 'µs',
        ours: MEMORY,
        peers: PEERS,
        baseline: 'piscina',
        bar: atMost(1.2),
        how: `No-op tasks, each submitted when the one before it has its result; the median of ${tasks}; ${rounds} rounds.`,
      }),
    ];
  },
};

/** @type {Group} */
export const durableLatency = {
  ids: [20],
  async measure(_, { against }) {
    const tasks = 500;
    const rounds = 6;
    const load = { load: /** @type {const} */ ('latency'), handler: 'noop', tasks, input: 7 };
    const figures = await race(contenders([DISK], load, against), rounds);
    return [
      rowOfRace({
        figures,
        id: 20,
        what: 'one task at a time, SQLite, p50 latency',
        unit: 'µs',
        ours: DISK,
        peers: [],
        bar: atMostBefore(1),
        how:
          `As row 4, on disk: from submit to durable outcome; the median of ${tasks}; ${rounds} rounds. ` +
          'No pool has a peer to it, so the bar is the build that `--against` names.',
      }),
    ];
  },
};

/** How far two series of the very same thing differ. @param {Record<string, number[]>} figures */
function noiseOf(figures) {
  return measured(ratios(figures[CONTROL] ?? [], figures['piscina'] ?? []));
}

/** How much work takes so long on this machine while nothing disturbs it. */
function roundsOfSpin(/** @type {number} */ ms) {
  const rounds = 1_000_000;
  const durations = Array.from({ length: 30 }, () => {
    const start = performance.now();
    spin(rounds);
    return performance.now() - start;
  });
  return Math.round((ms / Math.min(...durations)) * rounds);
}
