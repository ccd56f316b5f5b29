import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Executor } from '../../../../dist/index.js';
import type { EncodedTasks } from '../../../../dist/runtime/encoded-tasks.js';
import { endOf, rejection, running, runningNow, sharedExecutor, startedExecutor } from '../../../support/executors.js';
import { longTestAfter } from '../../../support/long.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';
import { evil } from '../../../fixtures/evil.mjs';

/** Tasks that have nothing to do with what happens beside them: all end `done`, and none is charged anything. */
function neighbours(executor: Executor, count = 30) {
  const ids = Array.from({ length: count }, (_, index) => `n${index}`);
  const results = ids.map((id, index) => endOf(executor.submit(index % 2 ? 'echo' : 'wait', index % 5, { id })));
  return {
    allDone: async () => {
      expect(await Promise.all(results)).toEqual(ids.map((_, index) => index % 5));
      for (const id of ids)
        expect(await executor.outcome(id)).toMatchObject({ state: 'done', attempts: 1, crashes: 0 });
    },
  };
}

const ALONE_AND_IN_COMPANY = [1, 8];

describe.each(ALONE_AND_IN_COMPANY)('with concurrency %i', (concurrency) => {
  const shared = sharedExecutor({ concurrency });

  longTestAfter<[string, unknown, string]>(concurrency === 1 ? 1 : 5, [
    ['exit', 0, 'exited with code: 0'],
    ['exit', 3, 'exited with code: 3'],
    ['exitLater', 1, 'exited with code: 3'],
    ['throwOutside', 'from a timer', 'from a timer'],
    ['rejectUnhandled', undefined, 'unhandled'],
  ])('a task that takes its thread down ends `crashed`, its neighbours `done`: %s(%s)', async (handler, input, why) => {
    const executor = await startedExecutor({ concurrency, maxCrashes: 2 });
    const died: { tasks: string[]; thread: number; cause: Error }[] = [];
    executor.on('thread-died', (event) => died.push(event));
    const killer = rejection(executor.submit(handler, input, { id: 'killer' }));
    const others = neighbours(executor);
    expect(await killer).toMatchObject({
      code: 'ERR_TASK_CRASHED',
      message: expect.stringContaining(why),
      outcome: { state: 'crashed', attempts: 0, crashes: 2, thread: expect.any(Number) },
    });
    await others.allDone();
    expect(died.length).toBeGreaterThanOrEqual(2);
    for (const { tasks, thread, cause } of died) {
      expect(tasks).toContain('killer');
      expect([1, 2]).toContain(thread);
      expect(cause.message).toContain(why);
    }
  });

  test('a task that bursts the heap ends `crashed`, its neighbours `done`', async () => {
    const executor = await startedExecutor({ concurrency, memory: '32MB', maxCrashes: 1 });
    const killer = rejection(executor.submit('burst', 0));
    const others = neighbours(executor);
    expect(await killer).toMatchObject({
      code: 'ERR_TASK_CRASHED',
      message: expect.stringContaining('ERR_WORKER_OUT_OF_MEMORY'),
    });
    await others.allDone();
  });

  longTestAfter(concurrency === 1 ? 1 : 3, ['spin', 'deaf', 'spinLater'])(
    'a task that outlives its time and its grace is `timed-out`: %s',
    async (handler) => {
      const executor = await startedExecutor({ concurrency });
      const silent = rejection(executor.submit(handler, 1, { id: 'late', timeoutMs: 100 }));
      const others = neighbours(executor);
      expect(await silent).toMatchObject({
        code: 'ERR_TASK_TIMED_OUT',
        message: expect.stringContaining('its thread was ended'),
        outcome: { state: 'timed-out', attempts: 1, crashes: 0 },
      });
      await others.allDone();
    },
  );

  longTestAfter(concurrency === 1 ? 1 : 4, ['untilAborted', 'spinUntilAborted', 'spinUntilThrown', 'lateResult'])(
    'a task that hears the signal is `timed-out`, and keeps its thread: %s',
    async (handler) => {
      const executor = await startedExecutor({ concurrency, grace: 20_000 });
      const died: unknown[] = [];
      executor.on('thread-died', (event) => died.push(event));
      const late = rejection(executor.submit(handler, 0, { id: 'late', timeoutMs: 50 }));
      const others = neighbours(executor);
      expect(await late).toMatchObject({
        code: 'ERR_TASK_TIMED_OUT',
        cause: { name: 'TimeoutError', message: 'the task ran for longer than its timeout of 50ms' },
      });
      await others.allDone();
      expect(died).toEqual([]);
    },
  );

  test.each(Object.keys(evil))(
    'whatever is thrown, rejected or returned, the task ends and its neighbours are well: %s',
    async (kind) => {
      const executor = shared();
      const thrown = ['throwEvil', 'rejectEvil'].map((handler) => rejection(executor.submit(handler, kind)));
      const returned = endOf(executor.submit('returnEvil', kind));
      const others = [executor.submit('echo', kind), executor.submit('echoLater', kind)];
      for (const error of await Promise.all(thrown)) {
        expect(error).toMatchObject({ code: 'ERR_TASK_FAILED', outcome: { state: 'failed', attempts: 1 } });
        expect(error.cause).toBeInstanceOf(Error);
      }
      await returned;
      expect(await Promise.all(others)).toEqual([kind, kind]);
    },
  );

  test.each([
    ['function', 'ERR_VALUE_NOT_CLONEABLE'],
    ['symbol', 'ERR_VALUE_NOT_CLONEABLE'],
    ['promise inside', 'ERR_VALUE_NOT_CLONEABLE'],
    ['shared memory', 'ERR_VALUE_NOT_CLONEABLE'],
    ['throwing getter', undefined],
    ['throwing thenable', undefined],
  ])('a result that cannot travel makes the task `failed`: %s', async (kind, code) => {
    const error = await rejection(shared().submit('returnOdd', kind));
    expect(error).toMatchObject({ code: 'ERR_TASK_FAILED', outcome: { state: 'failed' } });
    expect((error.cause as { code?: string }).code).toBe(code);
  });
});

describe('who is charged', () => {
  test('every suspect is tried alone, the last one too: nothing starts beside it', async () => {
    for (const [first, last] of [
      ['untilFile', 'exitLater'],
      ['exitLater', 'untilFile'],
    ] as const) {
      const executor = await startedExecutor({ concurrency: 4, threads: 1, maxCrashes: 1 });
      const file = join(tempDir(), 'x');
      const input = { untilFile: file, exitLater: 50 };
      // Both run on one thread when one of them takes it down. The other holds its trial until the file is there.
      executor.pause();
      const suspects = [first, last].map((handler) => endOf(executor.submit(handler, input[handler], { id: handler })));
      await waitFor('both to be queued', async () => (await executor.counts()).queued === 2);
      const died = new Promise<{ tasks: string[] }>((resolve) => executor.once('thread-died', resolve));
      executor.resume();
      expect((await died).tasks.toSorted()).toEqual(['exitLater', 'untilFile']);
      await executor.scale(2);
      if (last === 'untilFile') expect(await suspects[0]).toBe('crashed');
      await running(executor, 'untilFile');
      const later = Array.from({ length: 20 }, (_, index) => executor.submit('echo', index));
      const seen = new Set<string>();
      for (let look = 0; look < 20; look++) {
        for (const id of await runningNow(executor)) seen.add(id);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect([...seen]).toEqual(['untilFile']);
      expect(await executor.counts()).toMatchObject({ done: 0 });
      writeFileSync(file, '');
      const ends = await Promise.all(suspects);
      expect(ends).toEqual(first === 'untilFile' ? [1, 'crashed'] : ['crashed', 1]);
      expect(await Promise.all(later)).toEqual(Array.from({ length: 20 }, (_, index) => index));
      expect(await executor.outcome('untilFile')).toMatchObject({ attempts: 1, crashes: 0 });
    }
  });

  test('those who run out of time only because another one on their thread spins are tried alone, and end well', async () => {
    const executor = await startedExecutor({ concurrency: 4, threads: 1, timeout: 500 });
    const innocent = ['a', 'b', 'c'];
    const ends = innocent.map((id, index) => endOf(executor.submit('wait', 50 + index, { id })));
    const spinning = endOf(executor.submit('spin', 0, { id: 'spin' }));
    expect(await spinning).toBe('timed-out');
    expect(await Promise.all(ends)).toEqual([50, 51, 52]);
    for (const id of innocent) expect(await executor.outcome(id)).toMatchObject({ attempts: 1, crashes: 0 });
    expect(await executor.outcome('spin')).toMatchObject({ attempts: 1, crashes: 0 });
  });

  test('a forgotten promise that is rejected late never makes those who run after it `crashed`', async () => {
    for (const concurrency of ALONE_AND_IN_COMPANY) {
      const executor = await startedExecutor({ concurrency, maxCrashes: 2 });
      let deaths = 0;
      executor.on('thread-died', () => deaths++);
      const all = Array.from({ length: 40 }, (_, index) =>
        endOf(index % 2 ? executor.submit('wait', 20) : executor.submit('forgetAwait', 4)),
      );
      expect(await Promise.all(all)).toEqual(Array.from({ length: 40 }, (_, index) => (index % 2 ? 20 : 'done')));
      expect(deaths).toBeGreaterThan(0);
    }
  });

  test('several killers among many: each is found, and nobody else is charged', async () => {
    const executor = await startedExecutor({ concurrency: 4, maxCrashes: 2 });
    const killers = Array.from({ length: 3 }, (_, index) =>
      endOf(executor.submit(index % 2 ? 'exit' : 'throwOutside', 1)),
    );
    const others = neighbours(executor, 60);
    expect(await Promise.all(killers)).toEqual(['crashed', 'crashed', 'crashed']);
    await others.allDone();
  });
});

test('a neighbour of a task that is deaf, on the same thread, is started over and charged nothing', async () => {
  const executor = await startedExecutor({ threads: 1, concurrency: 3 });
  const file = join(tempDir(), 'x');
  const neighbours = ['a', 'b'].map((id) => executor.submit('untilFile', file, { id }));
  await running(executor, 'a', 'b');
  expect(await endOf(executor.submit('deaf', 0, { timeoutMs: 50 }))).toBe('timed-out');
  await running(executor, 'a', 'b');
  writeFileSync(file, '');
  expect(await Promise.all(neighbours)).toEqual([1, 1]);
  expect(await executor.outcome('a')).toMatchObject({ attempts: 1, crashes: 0 });
});

describe('time', () => {
  test('is counted from the start of an attempt: waiting in the queue costs none', async () => {
    const executor = await startedExecutor({ threads: 1, timeout: 1000 });
    const all = Array.from({ length: 12 }, () => endOf(executor.submit('work', 100)));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 12 }, () => 100));
  });

  test('a task that is out of time first hears of it, and only then loses its thread', async () => {
    const executor = await startedExecutor({ threads: 1, timeout: 50 });
    const logged: unknown[] = [];
    executor.on('log', ({ message }) => logged.push(message));
    expect(await endOf(executor.submit('hearAndSpin', 0))).toBe('timed-out');
    expect(logged).toEqual(['TimeoutError']);
  });

  test('tasks that wait behind a slow one of their batch are done by another thread meanwhile', async () => {
    for (const concurrency of ALONE_AND_IN_COMPANY) {
      const executor = await startedExecutor({ concurrency });
      // So that they are known to be cheap, and travel together.
      for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 400 }, () => executor.submit('hold', 'no')));
      const spinning = executor.submit('hold', 'spin', { id: 'spin' });
      const quick = Array.from({ length: 200 }, (_, index) => executor.submit('hold', index));
      expect(await Promise.all(quick)).toEqual(Array.from({ length: 200 }, (_, index) => index));
      expect(await runningNow(executor)).toEqual(['spin']);
      await executor.cancel('spin');
      expect(await spinning).toBe('AbortError');
    }
  });

  test('what is sent to a thread while it spins is done by another one', async () => {
    const executor = await startedExecutor({ concurrency: 4 });
    const spinning = executor.submit('spinUntilAborted', 0, { id: 'spin' });
    await running(executor, 'spin');
    for (let round = 0; round < 5; round++) {
      const quick = Array.from({ length: 20 }, (_, index) => executor.submit('echoLater', index));
      expect(await Promise.all(quick)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    }
    expect(await runningNow(executor)).toEqual(['spin']);
    await executor.cancel('spin');
    await spinning;
  });
});

test('a thread that is ended is gone before its task is tried again', async () => {
  const executor = await startedExecutor({ threads: 2, retries: 1, grace: 20 });
  const file = join(tempDir(), 'witness');
  // What it does there cannot be interrupted.
  expect(await endOf(executor.submit('blockNative', { file, seconds: 0.7 }, { timeoutMs: 50 }))).toBe('timed-out');
  expect(readFileSync(file, 'utf8').split('\n').slice(0, 3)).toEqual(['start 1', 'end 1', 'start 2']);
});

test('a stored input that is damaged, so that no thread can read it, ends the run and not thread after thread', async () => {
  const executor = await startedExecutor({ threads: 1 });
  let deaths = 0;
  executor.on('thread-died', () => deaths++);
  const failed = new Promise<Error>((resolve) => executor.once('failed', resolve));
  const damaged = {
    id: 'a',
    handler: 'echo',
    input: '{damaged',
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
  };
  await (executor as unknown as { encoded: EncodedTasks }).encoded.add([damaged]);
  expect(await failed).toMatchObject({ code: 'ERR_HANDLER_MODULE', message: expect.stringContaining('5 in a row') });
  expect(deaths).toBe(5);
  await executor.stop();
});

describe('recycling', () => {
  test.each([1, 3])(
    'a thread is replaced after %i tasks, and never runs one more, however they are batched',
    async (tasks) => {
      const executor = await startedExecutor({ recycleAfterTasks: tasks, concurrency: 2 });
      const places = await Promise.all(Array.from({ length: 25 }, () => executor.submit('place', 0)));
      const ran = (places as { ran: number; thread: number }[]).map(({ ran }) => ran);
      expect(Math.max(...ran)).toBe(tasks);
      expect(new Set((places as { thread: number }[]).map(({ thread }) => thread)).size).toBeGreaterThanOrEqual(
        25 / tasks,
      );
    },
  );

  test('a thread is replaced above a size of its heap, and keeps its number', async () => {
    const executor = await startedExecutor({ threads: 1, recycleAboveMemory: '24MB' });
    const small = await executor.submit('keep', 1);
    expect(await executor.submit('keep', 1)).toBe(small);
    expect(await executor.submit('keep', 40)).toBe(small);
    expect(await executor.submit('keep', 1)).not.toBe(small);
    const { threads } = await executor.status();
    expect(threads.map(({ number }) => number)).toEqual([1]);
  });
});

describe('scale', () => {
  const count = async (executor: Executor) => (await executor.status()).threads.length;

  test('up and down while tasks run: none is lost, and surplus threads finish what they have', async () => {
    const executor = await startedExecutor({ threads: 1, concurrency: 2 });
    const file = join(tempDir(), 'x');
    const held = ['h1', 'h2'].map((id) => executor.submit('untilFile', file, { id }));
    await running(executor, 'h1', 'h2');
    await executor.scale(4);
    expect(await count(executor)).toBe(4);
    const more = ['h3', 'h4', 'h5', 'h6', 'h7', 'h8'].map((id) => executor.submit('untilFile', file, { id }));
    await running(executor, 'h3', 'h4', 'h5', 'h6', 'h7', 'h8');
    // Below what is busy, and up again before anything is free.
    await executor.scale(1);
    expect((await executor.status()).threads.map(({ state }) => state).toSorted()).toEqual([
      'busy',
      'retiring',
      'retiring',
      'retiring',
    ]);
    await executor.scale(2);
    const waiting = Array.from({ length: 20 }, (_, index) => executor.submit('echo', index));
    writeFileSync(file, '');
    expect(await Promise.all([...held, ...more])).toEqual(Array(8).fill(1));
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    await waitFor('two threads to be left', async () => {
      const { threads } = await executor.status();
      return threads.length === 2 && threads.every(({ state }) => state === 'idle');
    });
  });

  test('again while threads are still loading, ends with as many as were asked for last', async () => {
    const executor = await startedExecutor({ threads: 1 });
    await Promise.all([executor.scale(5), executor.scale(2), executor.scale(4), executor.scale(3)]);
    await waitFor('three threads', async () => {
      const { threads } = await executor.status();
      return threads.length === 3 && threads.every(({ state }) => state === 'idle');
    });
    const places = await Promise.all(Array.from({ length: 9 }, () => executor.submit('wait', 10)));
    expect(places).toHaveLength(9);
  });

  test('refuses numbers of threads that are none', async () => {
    const executor = await startedExecutor({ threads: 1 });
    for (const threads of [0, -1, 1.5, 1025, Number.NaN, '3'])
      expect(await rejection(executor.scale(threads as number))).toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
    expect(await count(executor)).toBe(1);
  });

  test('while threads load, does not keep the executor from stopping', async () => {
    const executor = await startedExecutor({ threads: 1 });
    const scaling = rejection(executor.scale(3));
    await executor.stop();
    expect(await scaling).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
  });
});
