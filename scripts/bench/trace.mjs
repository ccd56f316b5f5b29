// @ts-check
/** Rows 13 and 14: what it costs to be looked at from within. */
import { figureOf, messageOf, race } from './race.mjs';
import { atLeast, atLeastFigure, rowOfRace } from './row.mjs';
import { measured, ratios } from './statistics.mjs';
import { range } from './table.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {import('./processes/hooks.mjs').HooksSettings} HooksSettings */

const SETTINGS = { tasks: 30_000, windowMs: 2000, rounds: 4, intervalMs: 1000, maxPauseMs: 250 };
const DEFAULT_INTERVAL_MS = 10_000;

/** @type {Group} */
export const dumps = {
  ids: [13],
  async measure() {
    const { windowMs, rounds, intervalMs } = SETTINGS;
    const pace = DEFAULT_INTERVAL_MS / intervalMs;
    /** @type {{ on: number[], off: number[], noise: number[], dumps: number, walks: number }} */
    const { on, off, noise, dumps, walks } = await messageOf('./processes/trace.mjs', SETTINGS);
    const left = ratios(on, off).map((ratio) => 100 * (1 - (1 - ratio) / pace));
    return [
      {
        id: 13,
        what: 'throughput that ASYNC_DEBUG=1 leaves: no-op tasks, memory queue',
        unit: '%',
        ours: measured(left),
        peers: {},
        bar: atLeastFigure(95, ' %'),
        how:
          `The executor of row 1, with a dump each ${intervalMs / 1000} s, and without; by turns of ${windowMs / 1000} s, ` +
          `${rounds} rounds: ${dumps} dumps of three threads with ${walks} walks through a heap. Counted is a ${pace}th of what ` +
          `was lost, as by default there is one in ${DEFAULT_INTERVAL_MS / 1000} s. Noise: of two turns without, the later one ` +
          `came to ${range(measured(noise))} times the other.`,
      },
    ];
  },
};

const OURS = 'ASYNC_DEBUG=hooks';
const STACKS = 'async_hooks with stacks';
const PEERS = [STACKS, 'why-is-node-running', 'nobody'];
const ROUNDS = 2;

/** @type {Group} */
export const hooks = {
  ids: [14],
  async measure() {
    const under = (/** @type {HooksSettings['load']} */ load, /** @type {number} */ count) =>
      race(
        [OURS, ...PEERS].map((watcher) => ({
          name: watcher,
          measure: () => figureOf('./processes/hooks.mjs', { watcher, load, count }),
        })),
        ROUNDS,
      );
    const common = { id: 14, ours: OURS, peers: PEERS, baseline: STACKS, bar: atLeast(5) };
    const awaits = await under('awaits', 3000);
    const tasks = await under('tasks', 1000);
    const beside = (/** @type {Record<string, number[]>} */ figures) => {
      const share = (/** @type {string} */ name) =>
        measured(ratios(figures[name] ?? [], figures['nobody'] ?? [])).value.toPrecision(2);
      return `Of the speed without any of them there is left ${share(OURS)} with ours, ${share('why-is-node-running')} with why-is-node-running, ${share(STACKS)} with stacks`;
    };
    return [
      rowOfRace({
        ...common,
        figures: awaits,
        unit: 'awaits/s',
        what: 'ASYNC_DEBUG=hooks: a loop of awaits',
        how:
          'Async functions that await one another, in a process where each promise is followed, from its creation on; against ' +
          `async_hooks with the stack of each. ${beside(awaits)}; why-is-node-running takes none of promises; ${ROUNDS} rounds.`,
      }),
      rowOfRace({
        ...common,
        figures: tasks,
        unit: 'tasks/s',
        what: 'the same: no-op tasks, memory queue',
        how: `The executor of row 1, in batches of 1,000 tasks; ours follows in the threads, too. ${beside(tasks)}.`,
      }),
    ];
  },
};
