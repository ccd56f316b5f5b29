/** `--fresh` removes what was recorded for a run that can start, and for no other. */
import { expect, test } from 'vitest';
import { place, type Place } from '../../../support/command.js';
import { longTestAfter } from '../../../support/long.js';

/** Where it does not matter who runs the tasks. */
const ALONE = ['--no-supervise', '--threads', '1'];

const TASKS = '{"id":"a","input":1}\n{"id":"b","input":2}\n';

async function doneRun(): Promise<Place> {
  const here = place();
  here.write('id.mjs', 'export default (input) => input;\n');
  here.write('setup.mjs', 'export const setup = () => { throw new Error("not today"); };\nexport default (x) => x;\n');
  here.write('broken.mjs', 'export default (input => input;\n');
  here.write('ok.nd', TASKS);
  here.write('bad.nd', `${TASKS}{"id":3}\n`);
  expect(await here.runtime(['run', 'id.mjs', '--tasks', 'ok.nd', '--run-id', 'r', ...ALONE])).toMatchObject({
    exitCode: 0,
  });
  return here;
}

async function recorded(here: Place): Promise<string[]> {
  const { stdout } = await here.runtime(['results', 'r']);
  return stdout.split('\n').filter((line) => line !== '');
}

longTestAfter(3, [
  ['a bad line', 'id.mjs', ['--tasks', 'bad.nd']],
  ['a setup that throws', 'setup.mjs', ['--tasks', 'ok.nd']],
  ['a results file that cannot be written', 'id.mjs', ['--tasks', 'ok.nd', '--results', 'nosuch/out.nd']],
  ['a task file that is not there', 'id.mjs', ['--tasks', 'nosuch.nd']],
  ['a glob that matches nothing', 'id.mjs', ['--each', 'nosuch/*']],
  ['a handler that is not there', 'id.mjs', ['--tasks', 'ok.nd', '--handler', 'nope']],
  ['a syntax error', 'broken.mjs', ['--tasks', 'ok.nd']],
])('%s leaves all that was recorded', async (_, module, args) => {
  const here = await doneRun();
  const before = await recorded(here);
  expect(before).toHaveLength(2);
  const { exitCode } = await here.runtime(['run', module, ...args, '--run-id', 'r', '--fresh', '--threads', '1']);
  expect(exitCode).toBe(64);
  expect(await recorded(here)).toEqual(before);
});

test('a bad line on standard input leaves all that was recorded; good ones start the run over', async () => {
  const here = await doneRun();
  const before = await recorded(here);
  const again = (input: string) =>
    here.runtime(['run', 'id.mjs', '--tasks', '-', '--run-id', 'r', '--fresh', '--threads', '1'], { input });
  expect(await again('no task\n')).toMatchObject({ exitCode: 64 });
  expect(await recorded(here)).toEqual(before);
  expect(await again('{"id":"c","input":3}\n')).toMatchObject({ exitCode: 0 });
  expect((await recorded(here)).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['c']);
});

test('a queue beyond reading is kept by a start that fails, and replaced by one that does not', async () => {
  const here = await doneRun();
  here.write('.runtime/runs/r/queue.db', 'this is no database at all, and never was one'.repeat(100));
  const fresh = (tasks: string) =>
    here.runtime(['run', 'id.mjs', '--tasks', tasks, '--run-id', 'r', '--fresh', ...ALONE]);
  expect(await fresh('nosuch.nd')).toMatchObject({ exitCode: 64 });
  expect(await here.runtime(['results', 'r'])).toMatchObject({ exitCode: 1 });
  expect(await fresh('ok.nd')).toMatchObject({ exitCode: 0 });
  expect(await recorded(here)).toHaveLength(2);
});
