import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { longTestAfter } from '../../../support/long.js';
import { echoes, RunPlace } from '../../../support/run-process.js';

const innocent = 'done attempts 1 crashes 0';

describe('a task that takes the whole process down', () => {
  longTestAfter(1, [
    ['aborts', { handler: 'raise', input: 'SIGABRT' }],
    ['faults', { handler: 'raise', input: 'SIGSEGV' }],
    ['kills it from within', { handler: 'raise', input: 'SIGKILL' }],
  ])('one that %s is found and recorded as crashed, the innocent are charged nothing', async (_, culprit) => {
    const place = new RunPlace();
    const lock = place.watchLock();
    const tasks = [...echoes(20, 'before'), { id: 'culprit', ...culprit }, ...echoes(20, 'after')];
    const run = place.start('--tasks', place.tasks(tasks), '--memory', '64MB');
    expect(await run.ended).toBe(3);
    const { culprit: end, ...others } = await place.ends();
    expect(end).toBe('crashed attempts 0 crashes 3');
    const { error, earlierAttempts } = (await place.outcomes()).find(({ id }) => id === 'culprit')!;
    expect(error).toMatchObject({ signal: culprit.input, message: expect.stringContaining(culprit.input) });
    expect(earlierAttempts).toMatchObject([1, 2].map(() => ({ state: 'crashed', error: { signal: culprit.input } })));
    expect(Object.keys(others)).toHaveLength(40);
    expect(new Set(Object.values(others))).toEqual(new Set([innocent]));
    expect(lock().gaps).toBe(0);
    expect(run.stderr).toContain('the executor of run-1 was ended by SIG');
    expect(run.stderr).toContain('crashed culprit: ');
  });

  test('two of them among tasks that run at the same time are told apart', async () => {
    const place = new RunPlace();
    const tasks = [
      { id: 'held-1', handler: 'hold', input: 'go' },
      { id: 'culprit-1', handler: 'raise', input: 'SIGABRT' },
      { id: 'held-2', handler: 'hold', input: 'go' },
      { id: 'culprit-2', handler: 'raise', input: 'SIGSEGV' },
    ];
    const run = place.start('--tasks', place.tasks(tasks), '--max-crashes', '2', '--concurrency', '4');
    await place.running('held-1');
    place.letGo();
    expect(await run.ended).toBe(3);
    expect(await place.ends()).toEqual({
      'held-1': innocent,
      'held-2': innocent,
      'culprit-1': 'crashed attempts 0 crashes 2',
      'culprit-2': 'crashed attempts 0 crashes 2',
    });
  });

  test('what is recorded of it says how often, and that the process died', async () => {
    const place = new RunPlace();
    const run = place.start(
      '--tasks',
      place.tasks([{ id: 'culprit', handler: 'raise', input: 'SIGABRT' }]),
      '--max-crashes',
      '1',
    );
    expect(await run.ended).toBe(3);
    const [outcome] = await place.outcomes();
    expect(outcome).toMatchObject({ state: 'crashed', crashes: 1, startedAt: null, thread: null });
    expect(outcome!.error).toMatchObject({ code: 'ERR_TASK_CRASHED', message: expect.stringContaining('died') });
  });

  test('the same command does not run it again, --retry-failed does', async () => {
    const place = new RunPlace();
    const args = [
      '--tasks',
      place.tasks([{ id: 'culprit', handler: 'raise', input: 'SIGABRT' }]),
      '--max-crashes',
      '1',
      '--threads',
      '1',
    ];
    expect(await place.start(...args).ended).toBe(3);
    const again = place.start(...args);
    expect(await again.ended).toBe(3);
    expect(again.stderr).not.toContain('was ended by');
    const retried = place.start(...args, '--retry-failed');
    expect(await retried.ended).toBe(3);
    expect(retried.stderr).toContain('was ended by SIGABRT');
  });
});

test('process.abort() is refused in a thread: the task is an ordinary failure, and nobody dies', async () => {
  const place = new RunPlace();
  const run = place.start('--tasks', place.tasks([{ id: 'aborts', handler: 'abort' }, ...echoes(5)]), '--threads', '1');
  expect(await run.ended).toBe(3);
  expect(await place.ends()).toMatchObject({ aborts: 'failed attempts 1 crashes 0', 'echo-4': innocent });
  expect(run.stderr).not.toContain('starting another');
});

test('executors that die again and again before any outcome are given up, and the lock goes free', async () => {
  const place = new RunPlace();
  writeFileSync(
    place.path('deadly.mjs'),
    `export const echo = (input) => input;\nprocess.kill(process.pid, 'SIGABRT');\n`,
  );
  const args = ['--tasks', place.tasks(echoes(3)), '--max-crashes', '1', '--threads', '1'];
  const run = place.startModule(place.path('deadly.mjs'), ...args);
  expect(await run.ended).toBe(1);
  expect(run.stderr.match(/starting another/g)).toHaveLength(6);
  expect(run.stderr).toContain('giving up; the same command continues the run');
  expect(place.lock.isLocked()).toBe(false);
  writeFileSync(place.path('deadly.mjs'), 'export const echo = (input) => input;\n');
  const mended = place.startModule(place.path('deadly.mjs'), ...args);
  expect(await mended.ended).toBe(0);
});
