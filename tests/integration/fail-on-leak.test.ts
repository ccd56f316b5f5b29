import { describe, expect, test } from 'vitest';
import { place } from '../support/command.js';
import { startedExecutor } from '../support/executors.js';

const JOBS = `import { setTimeout as sleep } from 'node:timers/promises';
async function poll() {
  for (;;) await sleep(60_000);
}
export function leaves(input) {
  void poll();
  return input;
}
export async function clean(input) {
  await sleep(1);
  return input;
}
`;

describe('runtime run --fail-on-leak', () => {
  test.each([[[]], [['--no-supervise']]])(
    'tells what tasks have left behind in each thread, and exits with 1, though all are done (%j)',
    async (flags: string[]) => {
      const { write, runtime } = place();
      write('jobs.mjs', JOBS);
      write('tasks.ndjson', '{"input":1,"handler":"leaves"}\n{"input":2,"handler":"leaves"}\n');
      const run = ['run', 'jobs.mjs', '--tasks', 'tasks.ndjson', '--threads', '1', '--fail-on-leak', '--json'];
      const { stdout, stderr, exitCode } = await runtime([...run, ...flags]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('runtime: tasks left async functions behind in the threads');
      expect(stderr).toMatch(/\nthread 1\n└─ poll ×2 +\S*jobs\.mjs:3:12\n {3}└─ timer, due in .* ×2\n/);
      expect(JSON.parse(stdout)).toMatchObject({
        counts: { done: 2 },
        leaks: [{ thread: 1, awaits: [{ name: 'poll', count: 2 }] }],
      });
    },
  );

  test('exits with 0 where nothing is left; nor does it look where it is not asked to', async () => {
    const { write, runtime } = place();
    write('jobs.mjs', JOBS);
    write('runtime.config.json', '{"run":{"failOnLeak":true}}');
    const run = (handler: string, ...flags: string[]) =>
      runtime(
        ['run', 'jobs.mjs', '--lines', '--handler', handler, '--run-id', handler, '--threads', '2', '--json', ...flags],
        {
          input: '1\n2\n',
        },
      );
    const clean = await run('clean');
    expect([clean.exitCode, JSON.parse(clean.stdout)]).toEqual([0, expect.objectContaining({ leaks: [] })]);
    const unasked = await run('leaves', '--no-fail-on-leak');
    expect([unasked.exitCode, JSON.parse(unasked.stdout)]).toEqual([0, expect.not.objectContaining({ leaks: [] })]);
    expect(unasked.stderr).not.toContain('poll');
  });
});

test('an executor tells what its tasks have left, thread by thread', async () => {
  const executor = await startedExecutor({ threads: 3 });
  expect(await executor.leftPending()).toEqual([]);
  await executor.submit('leave', 60_000);
  expect(await executor.leftPending()).toMatchObject([{ awaits: [{ name: 'wait' }], unknown: undefined }]);
});
