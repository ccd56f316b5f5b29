/** No more starts than a rate or a delay allows: across threads and retries. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lines, parsed, place } from '../../../support/command.js';
import { waitFor } from '../../../support/wait-for.js';

test('with a long delay one task runs, whatever the threads, and the rest stays queued', async () => {
  const here = place();
  const run = here.start(['run', 'work.mjs', '--lines', '--delay', '1h', '--threads', '2'], { input: lines(5) });
  await here.until('work', ({ counts }) => counts['done'] === 1 && counts['queued'] === 4);
  run.kill('SIGTERM');
  const { exitCode, stderr } = await run;
  expect(exitCode).toBe(143);
  expect(stderr).toContain('1 done, 4 queued');
  expect(parsed((await here.runtime(['results', 'work'])).stdout)).toHaveLength(1);
});

test('retries count: of a task that fails, no more attempts are made than the rate has', async () => {
  const here = place();
  here.write(
    'fails.mjs',
    `import { appendFileSync } from 'node:fs';
export default () => { appendFileSync('tries', 'x'); throw new Error('no'); };`,
  );
  const flags = ['--rate', '3/h', '--retries', '9', '--backoff', '1ms,1ms', '--threads', '2'];
  const run = here.start(['run', 'fails.mjs', '--lines', ...flags], { input: 'one\n' });
  const tries = () => (existsSync(join(here.dir, 'tries')) ? readFileSync(join(here.dir, 'tries'), 'utf8').length : 0);
  await waitFor('three tries', () => tries() === 3);
  await here.until('fails', ({ counts }) => counts['running'] === 0);
  run.kill('SIGTERM');
  expect((await run).exitCode).toBe(143);
  expect(tries()).toBe(3);
});

test('many within a rate are all done', async () => {
  const here = place();
  const { exitCode, stderr } = await here.runtime(['run', 'work.mjs', '--lines', '--rate', '100/10ms'], {
    input: lines(500),
  });
  expect(stderr).toContain('500 done');
  expect(exitCode).toBe(0);
});
