/** A keeper, an executor or both die, or stand still: what was told is there, and the same command goes on. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { childOf } from '../../../../../scripts/chaos/processes.mjs';
import type { Executor } from '../../../../../dist/index.js';
import { filesOpenIn } from '../../../../../dist/system/process-files.js';
import { HANDLERS, rejection, running, startedExecutor } from '../../../../support/executors.js';
import { all } from '../../../../support/queue-tasks.js';
import { echoes, RunPlace, type RunProcess } from '../../../../support/run-process.js';
import { tempDir } from '../../../../support/temp-dir.js';
import { waitFor } from '../../../../support/wait-for.js';

const DIED = { code: 'ERR_KEEPER_DIED', message: 'the process that keeps the queue was ended by SIGKILL' };
const INDEX = new URL('../../../../../dist/index.js', import.meta.url).href;

async function keptExecutor(dir = tempDir()): Promise<{ executor: Executor; keeper: number; dir: string }> {
  const executor = await startedExecutor({ dir, durable: true });
  return { executor, keeper: childOf(process.pid, 'keeper')!, dir };
}

async function heldRun(place: RunPlace, ...args: string[]): Promise<RunProcess> {
  const tasks = place.tasks([{ id: 'held', handler: 'hold', input: 'go' }, ...echoes(20)]);
  const run = place.start('--tasks', tasks, '--threads', '1', ...args);
  await place.running('held');
  return run;
}

describe('the keeper is killed', () => {
  test('an executor that is idle fails at once, and says so; the next one goes on', async () => {
    const { executor, keeper, dir } = await keptExecutor();
    expect(await executor.submit('echo', 1, { id: 'a' })).toBe(1);
    const failed = once(executor, 'failed');
    process.kill(keeper, 'SIGKILL');
    expect(await failed).toMatchObject([DIED]);
    expect(executor.mode).toBe('failed');
    expect(await rejection(executor.submit('echo', 2))).toMatchObject(DIED);
    expect(await rejection(executor.counts())).toMatchObject(DIED);
    expect(executor.probe().live).toMatchObject({ ok: false });
    await executor.stop();

    const { executor: next } = await keptExecutor(dir);
    expect(await all(next.outcomes())).toMatchObject([{ id: 'a', state: 'done' }]);
    expect(await next.submit('echo', 1, { id: 'a' })).toBe(1);
  });

  test('whoever waits for a task hears of it, and the task is run by the next executor', async () => {
    const { executor, keeper, dir } = await keptExecutor();
    const waiting = rejection(executor.submit('untilAborted', null, { id: 'held' }));
    await running(executor, 'held');
    await executor.enqueue([{ handler: 'echo', input: 7, id: 'behind' }]);
    process.kill(keeper, 'SIGKILL');
    await executor.stop({ force: true }).catch(() => {});
    expect(await waiting).toMatchObject(DIED);

    const { executor: next } = await keptExecutor(dir);
    expect(await next.submit('echo', 7, { id: 'behind' })).toBe(7);
    expect(await next.cancel('held')).toBe(true);
    await next.idle();
    expect((await all(next.outcomes())).map(({ id }) => id).sort()).toEqual(['behind', 'held']);
  });

  test('runtime run --no-supervise says so and ends with 1, and the same command continues', async () => {
    const place = new RunPlace();
    const run = await heldRun(place, '--no-supervise');
    process.kill(childOf(run.pid, 'keeper')!, 'SIGKILL');
    place.letGo();
    expect(await run.ended).toBe(1);
    expect(run.stderr).toContain(DIED.message);
    expect(run.stderr).not.toContain('    at ');
    expect(await place.start('--tasks', place.path('tasks.ndjson'), '--no-supervise').ended).toBe(0);
    const ends = await place.ends();
    expect(Object.keys(ends)).toHaveLength(21);
    expect(ends).toMatchObject({ held: 'done attempts 1 crashes 0' });
  });
});

describe('the executor is killed', () => {
  test('under a supervisor, the queue stays open, and what ran is run by the next one', async () => {
    const place = new RunPlace();
    const run = await heldRun(place);
    const executor = await run.executor();
    const isOpenIn = (pid: number) => filesOpenIn(pid)!.includes(join(place.runDir, 'queue.db'));
    expect([isOpenIn(run.pid), isOpenIn(executor)]).toEqual([true, false]);
    process.kill(executor, 'SIGKILL');
    await run.executor(executor);
    expect(isOpenIn(run.pid)).toBe(true);
    place.letGo();
    expect(await run.ended).toBe(0);
    const ends = await place.ends();
    expect(Object.keys(ends)).toHaveLength(21);
    expect(ends).toMatchObject({ held: 'done attempts 1 crashes 1' });
  });

  test('the keeper writes down what it has, leaves the queue as one file, and ends', async () => {
    const place = new RunPlace();
    const run = await heldRun(place, '--no-supervise');
    const keeper = childOf(run.pid, 'keeper')!;
    run.signal('SIGKILL');
    await waitFor('the end of the keeper', () => filesOpenIn(keeper) === undefined);
    expect(existsSync(join(place.runDir, 'queue.db-wal'))).toBe(false);
    expect(place.lock.isLocked()).toBe(false);
  });

  test('who starts the run again at once waits for the keeper, and is not refused', async () => {
    const place = new RunPlace();
    const run = await heldRun(place, '--no-supervise');
    const keeper = childOf(run.pid, 'keeper')!;
    process.kill(keeper, 'SIGSTOP');
    onTestFinished(() => kill(keeper, 'SIGKILL'));
    run.signal('SIGKILL');
    place.letGo();
    const again = place.start('--tasks', place.path('tasks.ndjson'), '--no-supervise');
    const maps = () => readFileSync(`/proc/${again.pid}/maps`, 'utf8');
    await waitFor('the lock to be asked for', () => maps().includes('fs-native-extensions'));
    expect(place.lock.isLocked()).toBe(true);
    kill(keeper, 'SIGCONT');
    expect(await again.ended).toBe(0);
    expect(Object.keys(await place.ends())).toHaveLength(21);
  });
});

test.each([[[]], [['--no-supervise']]])(
  'runtime run %j: both are killed, and the same command continues',
  async (more) => {
    const place = new RunPlace();
    const run = await heldRun(place, ...more);
    const keeper = childOf(run.pid, 'keeper');
    run.signalBoth('SIGKILL');
    if (keeper !== undefined) kill(keeper, 'SIGKILL');
    expect(await run.ended).toBe('SIGKILL');
    place.letGo();
    expect(await place.start('--tasks', place.path('tasks.ndjson'), '--wait', '10s', ...more).ended).toBe(0);
    expect(Object.keys(await place.ends())).toHaveLength(21);
  },
);

test('while the keeper stands still, calls wait and the beat is missed; then it goes on', async () => {
  const { executor, keeper } = await keptExecutor();
  onTestFinished(() => kill(keeper, 'SIGCONT'));
  await once(executor, 'beat');
  process.kill(keeper, 'SIGSTOP');
  let told = false;
  const result = executor.submit('echo', 5).finally(() => (told = true));
  await once(executor, 'beat-missed');
  expect(executor.probe().live).toMatchObject({
    ok: false,
    why: expect.stringContaining('the queue did not answer') as string,
  });
  expect(told).toBe(false);
  process.kill(keeper, 'SIGCONT');
  expect(await result).toBe(5);
  await once(executor, 'beat');
});

describe('a program that does not stop its executor', () => {
  /** Runs a module to its end; gives how that was. */
  async function program(dir: string, body: string) {
    const file = join(dir, 'program.mjs');
    const options = { runId: 'run-1', handlers: HANDLERS, dir: join(dir, 'state'), threads: 1 };
    const text = `import { createExecutor } from ${JSON.stringify(INDEX)};
      const executor = await createExecutor(${JSON.stringify(options)});\n${body}`;
    writeFileSync(file, text);
    const { exitCode, stdout, stderr } = await execa(process.execPath, [file], { reject: false });
    return { exitCode, stdout, stderr };
  }

  test('is kept alive by what it waits for, and by nothing else', async () => {
    const dir = tempDir();
    const body = `console.log(await executor.submit('echo', 'first'), (await executor.counts()).done);`;
    expect(await program(dir, body)).toEqual({ exitCode: 0, stdout: 'first 1', stderr: '' });
    // At once, while the keeper of the one before may still be writing; and nobody is charged.
    expect(await program(dir, body)).toEqual({ exitCode: 0, stdout: 'first 2', stderr: '' });
    await waitFor('the lock to be free', () => !existsSync(join(dir, 'state', 'locks', 'run-1.lock')));
  });

  test('leaves what it has added in the queue, also by process.exit()', async () => {
    const dir = tempDir();
    await program(dir, `await executor.enqueue([{ handler: 'untilAborted', input: 1, id: 'a' }]); process.exit(0);`);
    const body = `console.log((await executor.counts()).queued + (await executor.counts()).running);
      await executor.cancel('a');`;
    expect(await program(dir, body)).toEqual({ exitCode: 0, stdout: '1', stderr: '' });
  });
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
