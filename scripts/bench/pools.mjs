// @ts-check
/** Rows 1 to 4: the pools side by side. */
import { spin } from './threads/handlers.mjs';
import { figureOf, race } from './race.mjs';
import { atLeast, atMost, notBelow, rowOfRace } from './row.mjs';
import { measured, ratios } from './statistics.mjs';
import { range } from './table.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {Omit<import('./processes/pool.mjs').PoolSettings, 'pool'>} Load */

const PEERS = ['piscina', 'tinypool', 'workerpool', 'poolifier'];
const MEMORY = 'holdfast in memory';
const DISK = 'holdfast on disk';

/** What `piscina` is once more: how far two series of the very same thing differ. */
const CONTROL = 'piscina again';

const CPU_TASK_MS = 2;

/**
 * @param {readonly string[]} names
 * @param {Load} load
 */
function contenders(names, load) {
  return names.map((name) => {
    const pool = name === CONTROL ? 'piscina' : name;
    return { name, measure: () => figureOf('./processes/pool.mjs', { ...load, pool }) };
  });
}

/** @type {Group} */
export const noop = {
  ids: [1, 2],
  async measure(wanted) {
    const tasks = 30_000;
    const rounds = 3;
    const load = { load: /** @type {const} */ ('throughput'), handler: 'noop', tasks, input: 7 };
    const ours = [...(wanted.has(1) ? [MEMORY] : []), ...(wanted.has(2) ? [DISK] : [])];
    const figures = await race(contenders([...ours, ...PEERS], load), rounds);
    const common = { figures, unit: /** @type {const} */ ('tasks/s'), peers: PEERS, baseline: 'piscina' };
    const how = `${tasks.toLocaleString('en')} tasks submitted at once, a promise each, all awaited; ${rounds} rounds.`;
    return [
      rowOfRace({
        ...common,
        id: 1,
        what: 'no-op tasks, memory queue, a promise each',
        ours: MEMORY,
        bar: atLeast(20),
        how,
      }),
      rowOfRace({
        ...common,
        id: 2,
        what: 'no-op tasks, SQLite with synchronous=FULL, submit to durable outcome',
        ours: DISK,
        bar: atLeast(3),
        how: `As row 1, in the same race; the peers keep everything in memory.`,
      }),
    ].filter(({ id }) => wanted.has(id));
  },
};

/** @type {Group} */
export const cpu = {
  ids: [3],
  async measure() {
    const tasks = 300;
    const rounds = 4;
    const input = roundsOfSpin(CPU_TASK_MS);
    const load = { load: /** @type {const} */ ('throughput'), handler: 'spin', tasks, input };
    const figures = await race(contenders([MEMORY, DISK, CONTROL, ...PEERS], load), rounds);
    const noise = measured(ratios(figures[CONTROL] ?? [], figures['piscina'] ?? []));
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
export const latency = {
  ids: [4],
  async measure() {
    const tasks = 5000;
    const rounds = 4;
    const load = { load: /** @type {const} */ ('latency'), handler: 'noop', tasks, input: 7 };
    const figures = await race(contenders([MEMORY, ...PEERS], load), rounds);
    return [
      rowOfRace({
        figures,
        id: 4,
        what: 'one task at a time, memory queue, p50 latency',
        unit: 'µs',
        ours: MEMORY,
        peers: PEERS,
        baseline: 'piscina',
        bar: atMost(1.3),
        how: `No-op tasks, each submitted when the one before it has its result; the median of ${tasks}; ${rounds} rounds.`,
      }),
    ];
  },
};

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
