import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, test } from 'vitest';
import * as api from '../../../dist/index.js';
import { createExecutor, HoldfastError, type Executor, type TaskOutcome } from '../../../dist/index.js';
import { openSqliteQueue } from '../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { endOf, HANDLERS, rejection, running, startedExecutor } from '../../support/executors.js';
import { program } from '../../support/program.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

test('what is exported, and nothing else', () => {
  expect(Object.keys(api).toSorted()).toEqual([
    'ERROR_CODES',
    'ExecutorRunningError',
    'HoldfastError',
    'InvalidInputError',
    'ProcessLock',
    'TaskError',
    'assertPostConditions',
    'createExecutor',
    'defineConfig',
    'defineEvents',
    'generateEvents',
    'inspectProcess',
    'inspectSelf',
    'runPostConditions',
    'tradingEvents',
  ]);
});

test('a program looks into itself, but not as into another one', async () => {
  const { pid, threads } = await api.inspectSelf({ maxPauseMs: 0 });
  expect(pid).toBe(process.pid);
  expect(threads[0]!.notes).toEqual([expect.stringContaining('0ms are allowed')]);
  await expect(api.inspectProcess(process.pid)).rejects.toMatchObject({ code: 'ERR_INSPECT_TARGET' });
});

test('tasks are typed by the module that they run', () => {
  type Typed = Executor<typeof import('../../fixtures/typed-handlers.js')>;
  // Only the compiler looks in here.
  const typed = async (executor: Typed) => {
    expectTypeOf(executor.submit('double', 21)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(executor.submit('greet', { name: 'you' }, { id: 'a' })).toEqualTypeOf<Promise<string>>();
    for await (const outcome of executor.map('greet', [{ name: 'you' }])) {
      expectTypeOf(outcome).toEqualTypeOf<TaskOutcome<string>>();
    }
    // @ts-expect-error a text is no number
    void executor.submit('double', '21');
    // @ts-expect-error the name is missing
    void executor.submit('greet', {});
    // @ts-expect-error there is no such handler
    void executor.submit('triple', 1);
    // @ts-expect-error that is no function
    void executor.submit('notAHandler', 1);
    // @ts-expect-error an input of another type
    void executor.map('double', ['21']);
    // @ts-expect-error there is no such option
    void executor.submit('double', 1, { timeout: 1 });
  };
  const untyped = async (executor: Executor) => {
    expectTypeOf(executor.submit('anything', { at: 'all' })).toEqualTypeOf<Promise<unknown>>();
  };
  expect([typed, untyped]).toHaveLength(2);
});

test.each([
  [{ runId: '../up' }, 'ERR_INVALID_RUN_ID'],
  [{ threads: 0 }, 'ERR_INVALID_OPTIONS'],
  [{ handlers: 'https://example.org/handlers.js' }, 'ERR_INVALID_OPTIONS'],
])('options that are not valid are refused before anything is touched: %o', async (options, code) => {
  const dir = join(tempDir(), 'state');
  const error = await rejection(createExecutor({ runId: 'run-1', handlers: HANDLERS, dir, ...options }));
  expect(error).toMatchObject({ code, faults: [expect.anything()] });
  expect(error).toBeInstanceOf(HoldfastError);
  expect(() => rmSync(dir)).toThrow('ENOENT');
});

describe('a process with an executor', () => {
  test('ends by itself once that is stopped, whatever it went through, and nothing of it is left', async () => {
    const { said, stderr, code } = await program(`
      const listeners = () => Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
      const quiet = () => new Promise((resolve) => setTimeout(resolve, 20));
      const before = listeners();
      const executor = await open({ threads: 2, concurrency: 2, maxCrashes: 1, grace: 50, retries: 1, backoff: { base: '1d', max: '1d' } });
      void executor.submit('failTimes', 1).catch(() => {});
      await executor.submit('exit', 1, { retries: 0 }).catch(() => {});
      await executor.submit('spin', 1, { retries: 0, timeoutMs: 50 }).catch(() => {});
      for await (const _ of executor.map('echo', [1, 2, 3]));
      await executor.scale(1);
      await executor.scale(3);
      await executor.stop();
      // A thread that was scaled away a moment ago may still be on its way out.
      const ours = () => process.getActiveResourcesInfo().filter((kind) => /Message|Worker|FSWatch|Server/i.test(kind));
      for (let look = 0; look < 200 && ours().length > 0; look++) await quiet();
      say({ before, after: listeners(), ours: ours() });
    `);
    const [{ before, after, ours }] = said as [{ before: unknown; after: unknown; ours: unknown }];
    expect(after).toEqual(before);
    expect(ours).toEqual([]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  });

  test('ends by itself while that is idle, and its lock is free', async () => {
    const dir = tempDir();
    const { said, code } = await program(`const executor = await open(); say(await executor.submit('echo', 1));`, {
      dir,
    });
    expect({ said, code }).toEqual({ said: [1], code: 0 });
    const next = await startedExecutor({ dir, durable: true });
    expect(await next.counts()).toMatchObject({ done: 1 });
  });

  test('stays as long as a task is running, or waits for its retry', async () => {
    const { said, code } = await program(`
      const executor = await open({ retries: 1, backoff: { base: 200, max: 200 } });
      executor.submit('wait', 200).then(say);
      executor.submit('failTimes', 1).then(say);
    `);
    expect({ said: said.toSorted(), code }).toEqual({ said: [2, 200], code: 0 });
  });
});

describe('an executor that is in trouble', () => {
  test('whose lock is lost fails, takes no more tasks, and lets what runs come to its end', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true, threads: 1 });
    const file = join(dir, 'x');
    const held = executor.submit('untilFile', file, { id: 'held' });
    await running(executor, 'held');
    const waiting = rejection(executor.submit('echo', 1, { id: 'waiting' }));
    const failures: Error[] = [];
    const failed = new Promise<void>((resolve) => executor.on('failed', (error) => resolve(void failures.push(error))));
    rmSync(join(dir, 'locks', 'run-1.lock'));
    await failed;
    expect(failures[0]).toMatchObject({
      code: 'ERR_LOCK_LOST',
      message: expect.stringContaining('deleted'),
      hint: expect.any(String),
    });
    expect(executor.mode).toBe('failed');
    expect(await endOf(executor.submit('echo', 2))).toBe('ERR_LOCK_LOST');
    expect(await endOf(executor.idle())).toBe('ERR_LOCK_LOST');
    writeFileSync(file, '');
    expect(await held).toBe(1);
    expect(await waiting).toBe(failures[0]);
    expect(await executor.counts()).toMatchObject({ done: 1, queued: 1, running: 0 });
    await executor.stop();
    expect(failures).toHaveLength(1);
    const next = await startedExecutor({ dir, durable: true });
    expect(await next.submit('echo', 1, { id: 'waiting' })).toBe(1);
  });

  test('whose queue was taken over behind its back fails at its next write, and records nothing more', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true });
    const file = join(dir, 'x');
    const held = endOf(executor.submit('untilFile', file, { id: 'held' }));
    await running(executor, 'held');
    const usurper = await openSqliteQueue(join(dir, 'runs', 'run-1', 'queue.db'));
    expect(usurper.member).toBe(2);
    const failed = new Promise<Error>((resolve) => executor.once('failed', resolve));
    writeFileSync(file, '');
    expect(await failed).toMatchObject({ code: 'ERR_STALE_EXECUTOR' });
    expect(await held).toBe('ERR_STALE_EXECUTOR');
    expect(await endOf(executor.submit('echo', 1))).toBe('ERR_STALE_EXECUTOR');
    await executor.stop();
    expect(await usurper.counts()).toMatchObject({ queued: 1, running: 0, done: 0 });
    await usurper.close();
  });

  test('whose queue fails while it is stopping tells so', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true });
    const file = join(dir, 'x');
    const held = endOf(executor.submit('untilFile', file, { id: 'held' }));
    await running(executor, 'held');
    const usurper = await openSqliteQueue(join(dir, 'runs', 'run-1', 'queue.db'));
    const stopping = rejection(executor.stop());
    writeFileSync(file, '');
    expect(await stopping).toMatchObject({ code: 'ERR_STALE_EXECUTOR' });
    expect(await held).toBe('ERR_STALE_EXECUTOR');
    expect(executor.mode).toBe('stopped');
    await usurper.close();
    await (await startedExecutor({ dir, durable: true })).stop({ force: true });
  });

  test('whose queue may not grow any more says so, loses nothing that it recorded, and the next one goes on', async () => {
    const dir = tempDir();
    // No file may grow beyond 2 MiB.
    const { said, code, stderr } = await program(
      `
      process.on('SIGXFSZ', () => {});
      const executor = await open({ threads: 2 });
      const recorded = [];
      executor.on('outcome', ({ id }) => recorded.push(id));
      executor.on('failed', ({ code, hint }) => say({ failed: code, hint: typeof hint }));
      const codes = new Set();
      const add = (n) => executor.submit('echo', 'x'.repeat(20_000), { id: 't' + n }).catch(({ code }) => codes.add(code));
      for (let n = 0; n < 500 && codes.size === 0; n += 10) await Promise.all(Array.from({ length: 10 }, (_, i) => add(n + i)));
      say({ codes: [...codes] });
      await add(999);
      const { mode } = executor;
      const stopped = await executor.stop().then(() => 'well', ({ code }) => code);
      say({ mode, codes: [...codes], recorded, stopped });
      `,
      { dir, prelude: 'ulimit -f 2048;' },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const last = said.at(-1) as { mode: string; codes: string[]; recorded: string[]; stopped: string };
    expect(last.codes).toEqual(['ERR_QUEUE_IO']);
    expect(said).toContainEqual({ failed: 'ERR_QUEUE_IO', hint: 'string' });
    expect(last.mode).toBe('failed');
    expect(last.recorded.length).toBeGreaterThan(0);

    const next = await startedExecutor({ dir, durable: true });
    await next.idle();
    const { done, running: still, queued } = await next.counts();
    expect({ still, queued }).toEqual({ still: 0, queued: 0 });
    expect(done).toBeGreaterThanOrEqual(last.recorded.length);
    for (const id of last.recorded) expect(await next.outcome(id)).toMatchObject({ state: 'done' });
  });
});

test('a stopped executor that never took a task leaves nothing in the state folder', async () => {
  const dir = tempDir();
  const executor = await startedExecutor({ dir, durable: true });
  expect(executor.runDir).toBe(join(dir, 'runs', 'run-1'));
  await executor.stop();
  await waitFor('the folder to be gone', () => {
    try {
      rmSync(executor.runDir);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  });
});
