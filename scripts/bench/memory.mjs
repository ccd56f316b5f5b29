// @ts-check
/** Row 7: what a million waiting tasks cost. */
import { figureOf, race } from './race.mjs';
import { below, rowOfRace } from './row.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const TASKS = 1_000_000;

/** @type {Group} */
export const memory = {
  ids: [7],
  async measure() {
    const contender = (/** @type {string} */ holder) => ({
      name: holder,
      measure: () => figureOf('./processes/memory.mjs', { holder, tasks: TASKS }),
    });
    const figures = await race(['on disk', 'in memory', 'piscina'].map(contender), 1);
    const common = { figures, id: 7, unit: /** @type {const} */ ('MB'), peers: ['piscina'] };
    const million = TASKS.toLocaleString('en');
    return [
      rowOfRace({
        ...common,
        what: `memory of the executor with ${million} queued tasks`,
        ours: 'on disk',
        bar: below(300, 'MB'),
        how:
          `Highest resident memory of a process, its two threads included, that holds ${million} tasks: ` +
          'put into a paused executor with enqueue, 1,000 at a time, the input a path of 27 characters. Piscina: run() for each.',
      }),
      rowOfRace({ ...common, what: 'the same, memory queue', ours: 'in memory', how: 'As above, without the disk.' }),
    ];
  },
};
