/** A run that ends as tasks fail: nothing is lost, and the same command goes on. */
import { expect, test } from 'vitest';
import { executorOf, parsed, place } from '../../../../support/command.js';
import { waitFor } from '../../../../support/wait-for.js';

/** One that waits for the gate, two that fail, and more that wait. */
function tasks(waiting: number): string {
  const gate = (id: string) => `{"id":"${id}","handler":"gate","input":1}\n`;
  const fails = (id: string) => `{"id":"${id}","handler":"odd","input":2}\n`;
  return gate('first') + fails('a') + fails('b') + Array.from({ length: waiting }, (_, n) => gate(`w${n}`)).join('');
}

const RUN = ['run', 'work.mjs', '--tasks', 'tasks.nd', '--threads', '1', '--concurrency', '2', '--json'];

test('soon: what runs comes to its end, nothing more is started, and the same command does the rest', async () => {
  const here = place();
  here.write('tasks.nd', tasks(20));
  const run = here.start([...RUN, '--halt', 'soon,fail=2']);
  let said = '';
  run.stderr.on('data', (text) => (said += String(text)));
  await waitFor('the halt', () => said.includes('halt: 2 tasks failed: waiting for'));
  here.write('open', '');
  const { exitCode, stdout, stderr } = await run;
  const { counts, halted } = JSON.parse(stdout) as { counts: Record<string, number>; halted: string };
  expect(halted).toBe('2 tasks failed');
  expect(counts).toMatchObject({ failed: 2, running: 0, delayed: 0 });
  expect(counts['done']).toBeGreaterThanOrEqual(1);
  expect(counts['queued']).toBeGreaterThan(0);
  expect(counts['done']! + counts['queued']!).toBe(21);
  expect(stderr).toContain('halted     2 tasks failed\n');
  expect(stderr).toContain(`the same command goes on with the ${counts['queued']} left`);
  expect(exitCode).toBe(3);
  const again = await here.runtime([...RUN, '--halt', 'soon,fail=2']);
  expect(JSON.parse(again.stdout)).toMatchObject({ counts: { done: 21, failed: 2, queued: 0 } });
  expect(again.stdout).not.toContain('halted');
});

test('now: what runs is interrupted, charged no attempt, and stays queued', async () => {
  const here = place();
  here.write('tasks.nd', tasks(5));
  const { exitCode, stdout, stderr } = await here.runtime([...RUN, '--halt', 'now,fail=2']);
  expect(JSON.parse(stdout)).toMatchObject({ counts: { failed: 2, done: 0, queued: 6 }, halted: '2 tasks failed' });
  expect(stderr).toContain('halt: 2 tasks failed: what runs is interrupted\n');
  expect(exitCode).toBe(3);
  here.write('open', '');
  await here.runtime(RUN);
  const outcomes = parsed((await here.runtime(['results', 'work'])).stdout);
  expect(outcomes.find(({ id }) => id === 'first')).toMatchObject({ state: 'done', attempts: 1 });
});

test('of a share at least three must fail', async () => {
  const here = place();
  here.write('open', '');
  here.write('tasks.nd', tasks(5));
  const { stdout } = await here.runtime([...RUN, '--halt', 'now,fail=1%']);
  expect(JSON.parse(stdout)).toMatchObject({ counts: { failed: 2, done: 6, queued: 0 } });
  expect(stdout).not.toContain('halted');
});

test('an executor that takes over while the run halts starts nothing more', async () => {
  const here = place();
  here.write('tasks.nd', tasks(20));
  const run = here.start([...RUN, '--halt', 'soon,fail=2']);
  let said = '';
  run.stderr.on('data', (text) => (said += String(text)));
  await waitFor('the halt', () => said.includes('halt: 2 tasks failed: waiting for'));
  process.kill(executorOf(run.pid!), 'SIGKILL');
  // What it interrupted may have been taken up by the successor before that knew.
  await waitFor('another executor to halt', () => said.split('halt: 2 tasks failed').length === 3);
  here.write('open', '');
  const { exitCode, stdout } = await run;
  const { counts, halted } = JSON.parse(stdout) as { counts: Record<string, number>; halted: string };
  expect(halted).toBe('2 tasks failed');
  expect(counts['failed']).toBe(2);
  expect(counts['queued']).toBeGreaterThan(15);
  expect(exitCode).toBe(3);
});
