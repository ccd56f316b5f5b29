import { expect, test } from 'vitest';
import { parsed, place } from '../../../../support/command.js';

const LARGE = '{"input":{"id":1852371234567890123}}\n';

test('a number that a handler would get as another one is refused before anything runs', async () => {
  const { runtime, write } = place();
  write('ids.ndjson', `{"input":1}\n${LARGE}`);
  const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--tasks', 'ids.ndjson', '--handler', 'count']);
  expect(exitCode).toBe(64);
  expect(stderr).toContain('ids.ndjson: no task was taken:\n  line 2: input.id is 1852371234567890123, and would');
});

test.each([
  ['a flag', ['--big-integers'], ''],
  ['the config file', [], 'run: { bigIntegers: true }'],
])('it is kept as a BigInt by %s', async (_, flags, config) => {
  const { runtime, write } = place();
  if (config !== '') write('runtime.config.yaml', config);
  write('digits.mjs', 'export default ({ id }) => `${typeof id} ${id}`;');
  const { exitCode, stdout } = await runtime(['run', 'digits.mjs', '--tasks', '-', '--results', '-', ...flags], {
    input: LARGE,
  });
  expect(exitCode).toBe(0);
  expect(parsed(stdout)).toMatchObject([{ result: 'bigint 1852371234567890123' }]);
});

test('and is the same task the next time', async () => {
  const { runtime } = place();
  const args = ['run', 'work.mjs', '--tasks', '-', '--big-integers', '--handler', 'default'];
  for (const before of [0, 1]) {
    const { exitCode, stdout } = await runtime([...args, '--json'], { input: LARGE });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ before, counts: { done: 1 } });
  }
});
