// @ts-check
/** Row 7: what a million waiting tasks cost. */
import { before } from './build.mjs';
import { messageOf } from './race.mjs';
import { below, rowOfRace } from './row.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {import('./process-tree.mjs').ProcessMemory} ProcessMemory */

const TASKS = 1_000_000;

/** @type {Group} */
export const memory = {
  ids: [7],
  async measure(_, { against }) {
    /** @type {(holder: string, dist?: string) => Promise<{ peak: number, others: ProcessMemory[] }>} */
    const holding = (holder, dist) => messageOf('./processes/memory.mjs', { holder, tasks: TASKS }, dist);
    const disk = await holding('on disk');
    const figures = {
      'on disk': [disk.peak],
      together: [together(disk)],
      'in memory': [(await holding('in memory')).peak],
      piscina: [(await holding('piscina')).peak],
    };
    if (against !== undefined) {
      const earlier = await holding('on disk', against);
      Object.assign(figures, {
        [before('on disk')]: [earlier.peak],
        [before('together')]: [together(earlier)],
        [before('in memory')]: [(await holding('in memory', against)).peak],
      });
    }
    const common = { figures, id: 7, unit: /** @type {const} */ ('MB'), peers: ['piscina'] };
    const million = TASKS.toLocaleString('en');
    return [
      rowOfRace({
        ...common,
        what: `memory of the executor with ${million} queued tasks`,
        ours: 'on disk',
        bar: below(90, 'MB'),
        how:
          `Highest resident memory of a process, its two threads included, that holds ${million} tasks: ` +
          'put into a paused executor with enqueue, 1,000 at a time, the input a path of 27 characters. Piscina: run() for each.',
      }),
      rowOfRace({
        ...common,
        what: 'the same, all processes together',
        ours: 'together',
        bar: below(170, 'MB'),
        how: `The sum of the highest resident memory of each Node process. ${besides(disk.others)}`,
      }),
      rowOfRace({ ...common, what: 'the same, memory queue', ours: 'in memory', how: 'As above, without the disk.' }),
    ];
  },
};

/** @param {{ peak: number, others: readonly ProcessMemory[] }} processes */
function together({ peak, others }) {
  return others.reduce((sum, other) => sum + other.peak, peak);
}

/** @param {readonly ProcessMemory[]} others */
function besides(others) {
  const names = others.map(({ name, peak, proportional }) => {
    const parts = proportional === undefined ? '' : `, ${proportional.toFixed(0)} MB by parts of what is shared`;
    return `${name} with ${peak.toFixed(0)} MB${parts}`;
  });
  return names.length === 0 ? 'The executor had started no other one.' : `Besides the executor: ${names.join('; ')}.`;
}
