/** `runtime results --follow`: outcomes as they come, each once, until the run has ended. */
import { expect, test } from 'vitest';
import { executorOf, successorOf, lines, parsed, place, started } from '../../../support/command.js';
import { waitFor } from '../../../support/wait-for.js';

test('what was recorded before comes first, then what is recorded meanwhile, over the death of its executor', async () => {
  const here = place();
  const flags = ['--lines', '--handler', 'default', '--run-id', 'a'];
  await here.runtime(['run', 'work.mjs', ...flags], { input: lines(3) });
  here.write('more.ndjson', '{"id":"x","handler":"gate","input":1}\n{"id":"y","handler":"gate","input":2}\n');
  const more = ['--tasks', 'more.ndjson', '--handler', 'default', '--run-id', 'a', '--threads', '1'];
  const command = here.start(['run', 'work.mjs', ...more], { input: '' });
  await here.until('a', (status) => started(status) === 1);
  const following = here.start(['results', 'a', '--follow']);
  let seen = '';
  following.stdout.on('data', (text: Buffer) => (seen += String(text)));
  await waitFor('the outcomes of before', () => seen.split('\n').length === 4);
  const dead = executorOf(command.pid!);
  process.kill(dead, 'SIGKILL');
  await waitFor('another executor', () => ![undefined, dead].includes(successorOf(command.pid!)));
  here.write('open', '');
  expect((await command).exitCode).toBe(0);
  const { exitCode, stdout } = await following;
  expect(exitCode).toBe(0);
  const outcomes = parsed(stdout);
  expect(outcomes).toHaveLength(5);
  expect(new Set(outcomes.map(({ id }) => id)).size).toBe(5);
  expect(
    outcomes
      .slice(3)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['x', 'y']);
});

test('a run that nobody runs is printed to its end, in the states that were asked for', async () => {
  const here = place();
  await here.runtime(['run', 'work.mjs', '--lines', '--handler', 'odd', '--run-id', 'a'], { input: lines(4) });
  const { exitCode, stdout } = await here.runtime(['results', 'a', '--follow', '--state', 'failed']);
  expect(exitCode).toBe(0);
  expect(
    parsed(stdout)
      .map(({ input }) => input)
      .sort(),
  ).toEqual(['2', '4']);
});
