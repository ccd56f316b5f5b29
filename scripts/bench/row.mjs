// @ts-check
import { before } from './build.mjs';
import { measured, ratios } from './statistics.mjs';

/** @typedef {import('./statistics.mjs').Measured} Measured */

/** @typedef {'tasks/s' | 'pairs/s' | 'events/s' | 'awaits/s' | 'ms' | 'µs' | 'MB' | 'bytes' | '%'} Unit */

/**
 * @typedef {object} Bar
 * @property {string} text
 * @property {(row: Row) => 'met' | 'met within noise' | 'SHORT' | 'needs --against'} judge
 */

/**
 * @typedef {object} Row
 * @property {number} id as `--only` takes it
 * @property {string} what
 * @property {Unit} unit
 * @property {Measured} ours
 * @property {Record<string, Measured>} peers
 * @property {{ figure: Measured, ratio: Measured }} [before] the same of the build that `--against` names; `ratio`: ours to it
 * @property {string} [baseline] the peer that `ratio` is against
 * @property {Measured} [ratio]
 * @property {Bar} [bar] a row without one only tells more
 * @property {string} how how it was measured
 */

/**
 * @typedef {object} Settings
 * @property {string | undefined} against `dist` of another build, to be measured in the same races
 * @property {number} longTasks how many tasks a long run has
 */

/**
 * Rows that are measured together.
 * @typedef {object} Group
 * @property {readonly number[]} ids
 * @property {(wanted: ReadonlySet<number>, settings: Settings) => Promise<Row[]>} measure
 */

/**
 * @param {Omit<Row, 'ours' | 'peers' | 'ratio' | 'before'> & { figures: Record<string, number[]>, ours: string, peers: readonly string[] }} row
 * @returns {Row}
 */
export function rowOfRace({ figures, ours, peers, ...row }) {
  const of = (/** @type {string} */ name) => figures[name] ?? [];
  const earlier = of(before(ours));
  return {
    ...row,
    ours: measured(of(ours)),
    peers: Object.fromEntries(peers.map((name) => [name, measured(of(name))])),
    ...(row.baseline !== undefined && { ratio: measured(ratios(of(ours), of(row.baseline))) }),
    ...(earlier.length > 0 && {
      before: { figure: measured(earlier), ratio: measured(ratios(of(ours), earlier)) },
    }),
  };
}

/** @param {number} times @returns {Bar} */
export const atLeast = (times) => ({
  text: `at least ${times}x`,
  judge: ({ ratio }) => (ratio !== undefined && ratio.value >= times ? 'met' : 'SHORT'),
});

/** @param {number} times @returns {Bar} */
export const atMost = (times) => ({
  text: `at most ${times}x`,
  judge: ({ ratio }) => (ratio !== undefined && ratio.value <= times ? 'met' : 'SHORT'),
});

/** Not slower than the other build. @param {number} times @returns {Bar} */
export const atMostBefore = (times) => ({
  text: `at most ${times}x of before`,
  judge: ({ before }) => {
    if (before === undefined) return 'needs --against';
    return before.ratio.value <= times ? 'met' : 'SHORT';
  },
});

/**
 * @param {number} limit
 * @param {Unit} unit
 * @returns {Bar}
 */
export const below = (limit, unit) => ({
  text: `below ${limit} ${unit}`,
  judge: ({ ours }) => (ours.value < limit ? 'met' : 'SHORT'),
});

/**
 * @param {number} limit
 * @param {string} unit
 * @returns {Bar}
 */
export const atLeastFigure = (limit, unit) => ({
  text: `at least ${limit.toLocaleString('en')}${unit}`,
  judge: ({ ours }) => (ours.value >= limit ? 'met' : 'SHORT'),
});

/** A machine noisier than this cannot show that a bar is met. */
const MOST_NOISE = 0.05;

/**
 * At least 1x, as far as that can be told apart: `noise` is the ratio of the
 * baseline to itself, run twice in the same race.
 * @param {Measured} noise
 * @returns {Bar}
 */
export const notBelow = (noise) => ({
  text: 'not below',
  judge: ({ ratio }) => {
    if (ratio === undefined) return 'SHORT';
    if (ratio.value >= 1) return 'met';
    return ratio.value >= Math.max(noise.min, 1 - MOST_NOISE) ? 'met within noise' : 'SHORT';
  },
});
