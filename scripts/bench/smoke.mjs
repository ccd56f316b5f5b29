// @ts-check
/** Row 12: the whole smoke test, beside a script that runs one task with Piscina. */
import { fileURLToPath } from 'node:url';
import { commandOf } from './build.mjs';
import { race } from './race.mjs';
import { atMost, rowOfRace } from './row.mjs';
import { stateFolder } from './state-folder.mjs';
import { timeOf } from './whole-process.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const ROUNDS = 25;
const beside = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));

/** @type {Group} */
export const smoke = {
  ids: [12],
  async measure() {
    const state = stateFolder();
    const env = { ...process.env, TMPDIR: state.path };
    const main = commandOf();
    const script = beside('./processes/piscina-script.mjs');
    const contenders = [
      { name: 'smoke', measure: () => timeOf([main, 'smoke', '--threads', '2'], 'complete: SUCCESS', env) },
      { name: 'piscina', measure: () => timeOf([script, '21'], '42') },
    ];
    // The first round only brings the files into the system's cache.
    await race(contenders, 1);
    const figures = await race(contenders, ROUNDS);
    state.remove();
    return [
      rowOfRace({
        figures,
        id: 12,
        what: '`runtime smoke`, whole process',
        unit: 'ms',
        ours: 'smoke',
        peers: ['piscina'],
        baseline: 'piscina',
        bar: atMost(3),
        how:
          'From spawn to exit 0: lock, durable queue on the disk of the checkout, two threads, heartbeat, health snapshot, ' +
          'six events, all seven post-conditions, with the process that contends for the lock; against the script of row 8, ' +
          `which runs one task in a Piscina of two threads and checks nothing; ${ROUNDS} rounds.`,
      }),
    ];
  },
};
