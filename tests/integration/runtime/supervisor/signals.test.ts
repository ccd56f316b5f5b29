import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { childOf } from '../../../../scripts/chaos/processes.mjs';
import { longTest, longTestAfter } from '../../../support/long.js';
import { echoes, RunPlace, type RunProcess } from '../../../support/run-process.js';
import { waitFor } from '../../../support/wait-for.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One task that is held, and more behind it than are ever taken up. */
async function heldRun(place: RunPlace, ...args: string[]): Promise<RunProcess> {
  const tasks = place.tasks([{ id: 'held', handler: 'hold', input: 'go' }, ...echoes(20)]);
  const run = place.start('--tasks', tasks, '--threads', '1', ...args);
  await place.running('held');
  return run;
}

describe.each([
  ['under a supervisor', []],
  ['in one process', ['--no-supervise']],
] as [string, string[]][])('%s', (_, args) => {
  longTestAfter(1, SIGNALS)(
    'the first %s lets what runs come to its end, says what it waits for, and ends with 128+n',
    async (signal) => {
      const place = new RunPlace();
      const run = await heldRun(place, ...args);
      run.signal(signal);
      await run.told(new RegExp(`^${signal}: waiting for 1 running.*: held`, 'm'));
      place.letGo();
      expect(await run.ended).toBe(128 + constants.signals[signal]);
      expect(await place.ends()).toMatchObject({ held: 'done attempts 1 crashes 0' });
      expect(place.lock.isLocked()).toBe(false);
    },
  );

  const either = args.length === 0 ? test : longTest;

  either('what a drained run left undone is done by the same command', async () => {
    const place = new RunPlace();
    const run = await heldRun(place, ...args);
    run.signal('SIGTERM');
    await run.told('SIGTERM: waiting');
    place.letGo();
    await run.ended;
    expect(Object.keys(await place.ends()).length).toBeLessThan(21);
    const again = place.start('--tasks', place.path('tasks.ndjson'), ...args);
    expect(await again.ended).toBe(0);
    expect(Object.keys(await place.ends())).toHaveLength(21);
  });

  test('the second signal stops at once, and the interrupted task is ready again, charged nothing', async () => {
    const place = new RunPlace();
    const run = await heldRun(place, ...args);
    run.signal('SIGINT');
    await run.told('SIGINT: waiting');
    run.signal('SIGINT');
    expect(await run.ended).toBe(130);
    expect(run.stderr).toContain('SIGINT again: ');
    expect(await place.ends()).not.toHaveProperty('held');
    place.letGo();
    const again = place.start('--tasks', place.path('tasks.ndjson'), ...args);
    expect(await again.ended).toBe(0);
    expect(await place.ends()).toMatchObject({ held: 'done attempts 1 crashes 0' });
  });

  either('two signals at once, before anything runs, end with 128+n', async () => {
    const place = new RunPlace();
    execFileSync('mkfifo', [place.path('pipe')]);
    const run = place.start('--tasks', place.tasks(echoes(3)), '--results', place.path('pipe'), ...args);
    await run.told('waiting for a reader');
    run.signal('SIGTERM');
    run.signal('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(run.stderr).not.toContain('the queue was closed');
    expect(place.lock.isLocked()).toBe(false);
  });

  either('the second signal ends even a task that hears nothing, after its grace', async () => {
    const place = new RunPlace();
    const tasks = place.tasks([{ id: 'deaf', handler: 'spin' }]);
    const run = place.start('--tasks', tasks, '--grace', '50ms', ...args);
    await place.running('deaf');
    run.signal('SIGTERM');
    await run.told('SIGTERM: waiting');
    run.signal('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(await place.outcomes()).toEqual([]);
    expect(place.lock.isLocked()).toBe(false);
  });

  longTestAfter(1, [
    ['a setup', 'export const setup = () => new Promise(() => mark());'],
    ['a module', 'mark();\nawait new Promise((resolve) => setTimeout(resolve, 1e6));'],
    ['a loop', 'mark();\nfor (;;);'],
  ])('a signal ends the start of a run with %s that never ends, and leaves nothing behind', async (_, text) => {
    const place = new RunPlace();
    const mark = `import { writeFileSync } from 'node:fs';\nconst mark = () => writeFileSync('${place.path('loading')}', '');`;
    writeFileSync(place.path('hangs.mjs'), `${mark}\n${text}\nexport const echo = (x) => x;\n`);
    const run = place.startModule(place.path('hangs.mjs'), '--tasks', place.tasks(echoes(1)), ...args);
    await waitFor('the module to load', () => existsSync(place.path('loading')));
    run.signal('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(run.stderr).toContain('SIGTERM while the run started: no task was taken');
    expect(place.lock.isLocked()).toBe(false);
    expect(existsSync(place.runDir)).toBe(false);
  });

  longTestAfter(1, SIGNALS)('a %s to all its processes, as a service manager sends it, counts once', async (signal) => {
    const place = new RunPlace();
    const run = await heldRun(place, ...args);
    run.signalBoth(signal);
    await run.told(new RegExp(`^${signal}: waiting for 1 running.*: held`, 'm'));
    place.letGo();
    expect(await run.ended).toBe(128 + constants.signals[signal]);
    expect(run.stderr).not.toContain(`${signal} again: `);
    expect(run.stderr).not.toContain('starting another');
    expect(await place.ends()).toMatchObject({ held: 'done attempts 1 crashes 0' });
  });
});

test('--no-supervise is one process with a keeper: killed, it leaves the lock free, and the same command continues', async () => {
  const place = new RunPlace();
  const run = await heldRun(place, '--no-supervise');
  expect([run.executorPid, typeof childOf(run.pid, 'keeper')]).toEqual([undefined, 'number']);
  expect(place.lock.holder()?.pid).toBe(run.pid);
  run.signal('SIGKILL');
  expect(await run.ended).toBe('SIGKILL');
  await waitFor('the keeper to have written down what ran', () => !place.lock.isLocked());
  place.letGo();
  expect(await place.start('--tasks', place.path('tasks.ndjson'), '--no-supervise').ended).toBe(0);
  // It was the only one that ran when the process was killed: that may have been its doing.
  expect(await place.ends()).toMatchObject({ held: 'done attempts 1 crashes 1' });
});

test('an executor that dies while it drains is replaced by one that only tells the end', async () => {
  const place = new RunPlace();
  const run = await heldRun(place);
  const executor = await run.executor();
  run.signal('SIGTERM');
  await run.told('SIGTERM: waiting');
  process.kill(executor, 'SIGKILL');
  expect(await run.ended).toBe(143);
  expect(await place.ends()).not.toHaveProperty('held');
});

test('a signal before the first task is taken ends the run with 128+n, and everything is still to be done', async () => {
  const place = new RunPlace();
  writeFileSync(
    place.path('slow.mjs'),
    'await new Promise((resolve) => setTimeout(resolve, 500));\nexport const echo = (x) => x;\n',
  );
  const tasks = place.tasks(echoes(5));
  const run = place.startModule(place.path('slow.mjs'), '--tasks', tasks);
  await run.executor();
  run.signalBoth('SIGTERM');
  expect([143, 'SIGTERM']).toContain(await run.ended);
  expect(place.lock.isLocked()).toBe(false);
  expect(await place.startModule(place.path('slow.mjs'), '--tasks', tasks).ended).toBe(0);
  expect(Object.keys(await place.ends())).toHaveLength(5);
});
