/** Tasks and threads of a run that goes on, changed from another terminal. */
import { describe, expect, test } from 'vitest';
import { execa } from 'execa';
import { MAIN, place, started, type Place } from '../../../support/command.js';
import { startedExecutor } from '../../../support/executors.js';
import { join } from 'node:path';

const tasks = (...given: object[]) => given.map((task) => `${JSON.stringify(task)}\n`).join('');

/** A run of two tasks that wait for a file, of which one runs, and one that has failed. */
async function gated(here: Place) {
  here.write(
    't.ndjson',
    tasks(
      { id: 'bad', input: 1, handler: 'flaky' },
      { id: 'runs', input: 2, handler: 'gate' },
      { id: 'waits', input: 3, handler: 'gate' },
    ),
  );
  const flags = ['--tasks', 't.ndjson', '--threads', '1', '--run-id', 'gated', '--json'];
  const command = here.start(['run', 'work.mjs', ...flags]);
  await here.until('gated', (status) => status.counts['failed'] === 1 && started(status) === 1);
  return { command };
}

describe('tasks of a run that goes on', () => {
  test('are cancelled by their ids, whether they wait or run; others are named', async () => {
    const here = place();
    const { command } = await gated(here);
    const { stderr, exitCode } = await here.runtime(['cancel', 'gated', 'waits', 'nobody', 'runs', 'waits']);
    expect(stderr).toBe('waits: cancelled\nnobody: not cancelled: it is unknown, or has ended\nruns: cancelled\n');
    expect(exitCode).toBe(1);
    expect(JSON.parse((await command).stdout)).toMatchObject({ counts: { cancelled: 2, failed: 1 } });
  });

  test('are tried again by their ids, or all that did not end done, and no longer count as failed', async () => {
    const here = place();
    const { command } = await gated(here);
    const none = await here.runtime(['retry', 'gated', 'runs', 'waits', '--json']);
    expect(JSON.parse(none.stdout)).toEqual({
      schema: 1,
      tasks: [
        { id: 'runs', changed: false },
        { id: 'waits', changed: false },
      ],
    });
    expect(none.exitCode).toBe(1);
    expect((await here.runtime(['retry', 'gated', '--state', 'crashed'])).stderr).toMatch(/^0 tasks of gated/);
    await here.until('gated', ({ counts }) => counts['failed'] === 1);
    here.write('mended', '');
    expect(await here.runtime(['retry', 'gated'])).toMatchObject({
      stderr: '1 task of gated to be tried again\n',
      exitCode: 0,
    });
    here.write('open', '');
    const { stdout, exitCode } = await command;
    expect(JSON.parse(stdout)).toMatchObject({ counts: { done: 3, failed: 0 }, failures: [] });
    expect(exitCode).toBe(0);
  });

  test('are added, checked as a task file is, and the same line not twice', async () => {
    const here = place();
    const { command } = await gated(here);
    const add = (input: string, ...flags: string[]) =>
      here.runtime(['add', 'gated', '--tasks', '-', ...flags], { input });
    const wrong = await add(tasks({ input: 1, handler: 'nobody' }, { inptu: 2 }));
    expect(wrong.exitCode).toBe(64);
    expect(wrong.stderr).toMatch(/no task was taken:\n {2}line 1: handler .*\n {2}line 2: /);
    expect((await add(tasks({ input: 7 }), '--handler', 'default')).stderr).toBe('1 task added to gated\n');
    const again = await add(tasks({ input: 7 }, { input: 8 }), '--handler', 'default', '--json');
    expect(JSON.parse(again.stdout)).toEqual({ schema: 1, added: 1, duplicate: 1, conflicts: [] });
    const taken = await add(tasks({ id: 'bad', input: 2 }), '--handler', 'default');
    expect(taken.exitCode).toBe(64);
    expect(taken.stderr).toContain('line 1: the id "bad" is taken by a task with another handler or input');
    here.write('open', '');
    expect(JSON.parse((await command).stdout)).toMatchObject({ counts: { done: 4, failed: 1 } });
    const late = await add(tasks({ input: 9 }), '--handler', 'default');
    expect(late).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no executor is running') as string });
  });

  test('are added from a pipe, and all that can be where some ids are taken', async () => {
    const here = place();
    const { command } = await gated(here);
    here.write('more.sh', `exec "$@" --tasks <(printf '%s\\n' "$MORE")`);
    const more = tasks({ id: 'x', input: 1 }, { id: 'bad', input: 2 }, { id: 'y', input: 3 }).trim();
    const args = [join(here.dir, 'more.sh'), process.execPath, MAIN, 'add', 'gated', '--handler', 'default'];
    const { stderr, exitCode } = await execa('bash', args, {
      cwd: here.dir,
      env: { MORE: more, RUNTIME_DIR: '' },
      reject: false,
    });
    expect(stderr).toMatch(
      /^2 tasks added to gated\n.*taken:\n {2}line 2: the id "bad" .*\n.* All others were added\.$/s,
    );
    expect(exitCode).toBe(64);
    here.write('open', '');
    expect(JSON.parse((await command).stdout)).toMatchObject({ counts: { done: 4, failed: 1 } });
  });

  test('need one source, and a handler', async () => {
    const here = place();
    const { command } = await gated(here);
    const neither = await here.runtime(['add', 'gated', '--null']);
    expect(neither.stderr).toMatch(
      /no tasks: give one of --tasks <file\|->, --lines\n {2}--null: is for --lines alone/,
    );
    const unnamed = await here.runtime(['add', 'gated', '--lines', '--handler', 'nobody'], { input: 'x\n' });
    expect(unnamed.stderr).toContain('--handler: the run has no function "nobody"');
    here.write('open', '');
    await command;
  });
});

test('threads of a run that goes on are more, or fewer', async () => {
  const here = place();
  const { command } = await gated(here);
  expect((await here.runtime(['scale', 'gated', '3'])).stderr).toBe('gated has 3 threads\n');
  await here.until('gated', (status) => started(status) === 2);
  for (const threads of ['0', 'many']) {
    const { stderr, exitCode } = await here.runtime(['scale', 'gated', threads]);
    expect(stderr).toContain('must be a whole number from 1 to 1024');
    expect(exitCode).toBe(64);
  }
  here.write('open', '');
  await command;
});

test('an executor from code that is steerable takes tasks from a terminal', async () => {
  const here = place();
  const dir = join(here.dir, '.runtime');
  const executor = await startedExecutor({ dir, durable: true, steerable: true });
  const { exitCode } = await here.runtime(['add', 'run-1', '--tasks', '-'], {
    input: tasks({ id: 'a', input: 'hello', handler: 'echo' }),
  });
  expect(exitCode).toBe(0);
  await executor.idle();
  expect(await executor.outcome('a')).toMatchObject({ state: 'done', result: 'hello' });
});
