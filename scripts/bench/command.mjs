// @ts-check
/** Row 8: the whole command, beside a script that does the same with Piscina. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { before, commandOf } from './build.mjs';
import { race } from './race.mjs';
import { atMost, rowOfRace } from './row.mjs';
import { stateFolder } from './state-folder.mjs';
import { timeOf } from './whole-process.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const ROUNDS = 25;
const INPUT = 21;
const RESULT = '42';
const beside = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));

/** @type {Group} */
export const command = {
  ids: [8],
  async measure(_, { against }) {
    const state = stateFolder();
    const tasks = join(state.path, 'tasks.ndjson');
    writeFileSync(tasks, `${JSON.stringify({ input: INPUT })}\n`);
    let runs = 0;
    const run = (/** @type {string | undefined} */ dist, /** @type {string[]} */ ...flags) =>
      timeOf(
        [
          ...[commandOf(dist), 'run', beside('./threads/handlers.mjs'), '--handler', 'double', '--tasks', tasks],
          ...['--threads', '2', '--results', '-', '--dir', state.path, '--run-id', `run-${++runs}`, ...flags],
        ],
        RESULT,
      );
    const contenders = [
      ...[undefined, ...(against === undefined ? [] : [against])].flatMap((dist) => {
        const name = (/** @type {string} */ of) => (dist === undefined ? of : before(of));
        return [
          { name: name('runtime run'), measure: () => run(dist) },
          { name: name('alone'), measure: () => run(dist, '--no-supervise') },
        ];
      }),
      { name: 'piscina', measure: () => timeOf([beside('./processes/piscina-script.mjs'), String(INPUT)], RESULT) },
    ];
    // The first round only brings the files into the system's cache.
    await race(contenders, 1);
    const figures = await race(contenders, ROUNDS);
    state.remove();
    const common = { figures, id: 8, unit: /** @type {const} */ ('ms'), peers: ['piscina'], baseline: 'piscina' };
    return [
      rowOfRace({
        ...common,
        what: '`runtime run` of one task, whole process',
        ours: 'runtime run',
        bar: atMost(1.9),
        how:
          'From spawn to exit, two processes and the durable queue included, each time a fresh run; against a script that ' +
          `runs the same function of the same module in a Piscina of two threads, and prints its result; ${ROUNDS} rounds.`,
      }),
      rowOfRace({
        ...common,
        what: 'the same, --no-supervise',
        ours: 'alone',
        bar: atMost(2),
        how: 'No supervisor: the process of the command runs the task.',
      }),
    ];
  },
};
