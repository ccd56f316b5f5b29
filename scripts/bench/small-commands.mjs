// @ts-check
/** Row 24: what a command costs that does next to nothing, beside a Node that does nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { before, commandOf } from './build.mjs';
import { race } from './race.mjs';
import { atMost, rowOfRace } from './row.mjs';
import { stateFolder } from './state-folder.mjs';
import { timeOf } from './whole-process.mjs';

/** @typedef {import('./row.mjs').Group} Group */

const ROUNDS = 41;
const RUN = 'looked-at';
const beside = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));

/** @type {Group} */
export const smallCommands = {
  ids: [24],
  async measure(_, { against }) {
    const state = stateFolder();
    const tasks = join(state.path, 'tasks.ndjson');
    writeFileSync(tasks, '{"input":1}\n');
    const handlers = beside('./threads/handlers.mjs');
    const dir = ['--dir', state.path];
    await timeOf([commandOf(), 'run', handlers, '--handler', 'double', '--tasks', tasks, '--run-id', RUN, ...dir], '');
    const contenders = [
      { name: 'node', measure: () => timeOf(['-e', '0'], '') },
      ...[undefined, ...(against === undefined ? [] : [against])].flatMap((dist) => {
        const name = (/** @type {string} */ of) => (dist === undefined ? of : before(of));
        return [
          { name: name('help'), measure: () => timeOf([commandOf(dist), '--help'], 'Usage: ') },
          { name: name('status'), measure: () => timeOf([commandOf(dist), 'status', RUN, ...dir], '1 done') },
        ];
      }),
    ];
    // The first round only brings the files into the system's cache.
    await race(contenders, 1);
    const figures = await race(contenders, ROUNDS);
    state.remove();
    const how = `From spawn to exit, against \`node -e 0\`; ${ROUNDS} rounds.`;
    const common = { figures, id: 24, unit: /** @type {const} */ ('ms'), peers: ['node'], baseline: 'node' };
    return [
      rowOfRace({
        ...common,
        what: '`runtime --help`, whole process',
        ours: 'help',
        bar: atMost(1.6),
        how,
      }),
      rowOfRace({
        ...common,
        what: '`runtime status` of a run that has ended, whole process',
        ours: 'status',
        bar: atMost(1.6),
        how,
      }),
    ];
  },
};
