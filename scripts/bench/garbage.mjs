// @ts-check
/** Row 25: what a task takes of the main thread's heap. */
import { before } from './build.mjs';
import { figureOf, race } from './race.mjs';
import { below, rowOfRace } from './row.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const TASKS = 30_000;

/** So large a young generation holds all that a repetition allocates. In MB. */
const YOUNG_MB = 256;
const NO_COLLECTION = ['--expose-gc', `--min-semi-space-size=${YOUNG_MB}`, `--max-semi-space-size=${YOUNG_MB}`];

const OURS = 'holdfast in memory';

/** @type {Group} */
export const garbage = {
  ids: [25],
  async measure(_, { against }) {
    const contenders = (/** @type {'bytes' | 'share'} */ figure, /** @type {string[]} */ flags) => {
      const of = (/** @type {string | undefined} */ dist) => () =>
        figureOf('./processes/garbage.mjs', { figure, tasks: TASKS }, dist, flags);
      return [
        { name: OURS, measure: of(undefined) },
        ...(against === undefined ? [] : [{ name: before(OURS), measure: of(against) }]),
      ];
    };
    const tasks = TASKS.toLocaleString('en');
    return [
      rowOfRace({
        figures: await race(contenders('bytes', NO_COLLECTION), 3),
        id: 25,
        what: 'bytes allocated on the main thread for a no-op task, memory queue',
        unit: 'bytes',
        ours: OURS,
        peers: [],
        bar: below(850, 'bytes'),
        how:
          `${tasks} tasks submitted at once, their promises kept and not awaited, until the executor is idle. V8 collects ` +
          `nothing meanwhile, as its young generation has ${YOUNG_MB} MB. Does not depend on the machine; 3 rounds.`,
      }),
      rowOfRace({
        figures: await race(contenders('share', []), 3),
        id: 25,
        what: "the same load, awaited: garbage collection's share of the main thread's time",
        unit: '%',
        ours: OURS,
        peers: [],
        how: `The load of row 1, ${tasks} tasks, with V8 as it comes; as V8 tells of its collections; 3 rounds.`,
      }),
    ];
  },
};
