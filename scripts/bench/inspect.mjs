// @ts-check
/** Rows 15 to 17: what a look into another process takes, and what that process feels of it. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { commandOf } from './build.mjs';
import { race } from './race.mjs';
import { atMost, below, rowOfRace } from './row.mjs';
import { measured } from './statistics.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {import('./processes/inspected.mjs').InspectedSettings} InspectedSettings */
/** @typedef {import('../../dist/debug/inspection.js').Inspection} Inspection */

const COMMAND = commandOf();
const TARGET = fileURLToPath(new URL('./processes/inspected.mjs', import.meta.url));

/**
 * A process to look into, for as long as `use` takes.
 * @template T
 * @param {InspectedSettings} settings
 * @param {(target: { pid: number, ask: (question: string) => Promise<number> }) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function withTarget(settings, use) {
  const child = fork(TARGET, [JSON.stringify(settings)], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the process that is looked into ended with ${signal ?? code}`);
  });
  ended.catch(() => {});
  const ask = async (/** @type {string} */ question) => {
    child.send(question);
    const [answer] = await Promise.race([once(child, 'message'), ended]);
    return answer;
  };
  try {
    await Promise.race([once(child, 'message'), ended]);
    return await use({ pid: /** @type {number} */ (child.pid), ask });
  } finally {
    child.kill('SIGKILL');
  }
}

/**
 * @param {number} pid
 * @returns {Promise<{ tookMs: number, inspection: Inspection }>} `tookMs`: from spawn to exit
 */
async function inspect(pid) {
  const start = performance.now();
  const child = spawn(process.execPath, [COMMAND, 'inspect', String(pid), '--json', '--max-pause', '1m'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [inspection, [code]] = await Promise.all([json(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`runtime inspect ended with ${code}`);
  return { tookMs: performance.now() - start, inspection: /** @type {Inspection} */ (inspection) };
}

/** @param {Inspection} inspection */
function longestWalk({ threads }) {
  return Math.max(...threads.map(({ pause }) => pause.measuredMs ?? NaN));
}

/** @param {import('./statistics.mjs').Measured} measured in ms */
function between({ min, max }) {
  return `${min.toFixed(0)} to ${max.toFixed(0)}`;
}

/** @type {Group} */
export const looks = {
  ids: [15],
  async measure() {
    const rounds = 5;
    /** @type {{ gaps: number[], walks: number[] }} */
    const seen = { gaps: [], walks: [] };
    const figures = await withTarget({ threads: 4, heap: 'fresh', count: 0 }, ({ pid, ask }) =>
      race(
        [
          {
            name: 'look',
            measure: async () => {
              await ask('forget gaps');
              const { tookMs, inspection } = await inspect(pid);
              seen.gaps.push(await ask('gaps'));
              seen.walks.push(longestWalk(inspection));
              return tookMs;
            },
          },
        ],
        rounds,
      ),
    );
    const common = { id: 15, unit: /** @type {const} */ ('ms'), peers: [] };
    return [
      rowOfRace({
        ...common,
        figures,
        what: '`runtime inspect` of a process with four worker threads, whole command',
        ours: 'look',
        bar: below(2000, 'ms'),
        how: `From spawn to exit, five fresh heaps walked through, the inspector opened and closed each time; ${rounds} rounds.`,
      }),
      rowOfRace({
        ...common,
        figures: { gap: seen.gaps },
        what: 'the same: the longest that any thread stood still',
        ours: 'gap',
        bar: below(400, 'ms'),
        how:
          'As the process felt it: each of its threads ticks every 2 ms, and this is the longest gap in any of them. ' +
          `The longest pause that the inspection tells of was ${between(measured(seen.walks))} ms.`,
      }),
    ];
  },
};

const SUSPENDED = 100_000;

/** @type {Group} */
export const suspended = {
  ids: [16],
  async measure() {
    const rounds = 2;
    /** @type {number[]} */
    const walks = [];
    const figures = await withTarget({ threads: 0, heap: 'suspended', count: SUSPENDED }, ({ pid }) =>
      race(
        [
          {
            name: 'look',
            measure: async () => {
              const { tookMs, inspection } = await inspect(pid);
              const [main] = inspection.threads;
              if ((main?.suspended ?? 0) < SUSPENDED) throw new Error(`${main?.suspended} were found`);
              walks.push(longestWalk(inspection));
              return tookMs;
            },
          },
        ],
        rounds,
      ),
    );
    return [
      rowOfRace({
        figures,
        id: 16,
        what: '`runtime inspect` of 100,000 suspended functions, whole command',
        unit: 'ms',
        ours: 'look',
        peers: [],
        bar: below(10_000, 'ms'),
        how:
          'From spawn to exit: 10,000 requests, each of ten functions with a Promise.all of eight, half of them at timers. ' +
          `The process stood still for ${between(measured(walks))} ms of it; ${rounds} rounds.`,
      }),
    ];
  },
};

const OBJECTS = 2_000_000;
const ALONE = 'v8.getHeapSnapshot alone';

/** @type {Group} */
export const largeHeap = {
  ids: [17],
  async measure() {
    const rounds = 2;
    /** @type {{ walks: number[], took: number[], built: number[] }} */
    const seen = { walks: [], took: [], built: [] };
    const figures = await withTarget({ threads: 0, heap: 'objects', count: OBJECTS }, ({ pid, ask }) =>
      race(
        [
          {
            name: 'gap',
            measure: async () => {
              await ask('forget gaps');
              const { tookMs, inspection } = await inspect(pid);
              seen.took.push(tookMs);
              seen.walks.push(longestWalk(inspection));
              return ask('gaps');
            },
          },
          {
            name: ALONE,
            measure: async () => {
              const took = await ask('snapshot');
              seen.built.push(await ask('how long to build it'));
              return took;
            },
          },
        ],
        rounds,
      ),
    );
    return [
      rowOfRace({
        figures,
        id: 17,
        what: 'pause of a thread with two million objects, 80 MB',
        unit: 'ms',
        ours: 'gap',
        peers: [ALONE],
        baseline: ALONE,
        bar: atMost(1.1),
        how:
          'As the thread felt it, by its ticks, under `runtime inspect --max-pause 1m`; against v8.getHeapSnapshot() in the same ' +
          `process, built (${between(measured(seen.built))} ms) and read to its end. The pause that the inspection tells of was ` +
          `${between(measured(seen.walks))} ms, the whole command took ${between(measured(seen.took))}; ${rounds} rounds. The first ` +
          'snapshot of a process gives each object its number, which is ours.',
      }),
    ];
  },
};
