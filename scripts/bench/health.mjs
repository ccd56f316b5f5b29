// @ts-check
/** Row 11: what health costs. */
import { messageOf } from './race.mjs';
import { below } from './row.mjs';
import { measured, ratios } from './statistics.mjs';
import { range } from './table.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const SETTINGS = { tasks: 30_000, windowMs: 1500, rounds: 10, pace: 20 };

/** @type {Group} */
export const health = {
  ids: [11],
  async measure() {
    const { windowMs, rounds, pace } = SETTINGS;
    /** @type {{ on: number[], off: number[], noise: number[] }} */
    const { on, off, noise } = await messageOf('./processes/health.mjs', SETTINGS);
    const cost = ratios(on, off).map((ratio) => (100 * (1 - ratio)) / pace);
    return [
      {
        id: 11,
        what: 'share of throughput that health takes: no-op tasks, memory queue',
        unit: '%',
        ours: measured(cost),
        peers: {},
        bar: below(1, '%'),
        how:
          `The executor of row 1, with a beat, a snapshot and a scrape of /metrics ${pace} times a second, and without; ` +
          `by turns of ${windowMs / 1000} s, ${rounds} rounds. Shown is a ${pace}th of what was lost, as each happens ` +
          `once a second. Noise: of two turns without, the later one came to ${range(measured(noise))} times the other.`,
      },
    ];
  },
};
