import { deepStrictEqual } from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createExecutor, TaskError, type TaskOutcome } from '../../../dist/index.js';
import { openSqliteQueue } from '../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../../dist/runtime/queue/sqlite/reader.js';
import {
  endOf,
  HANDLERS,
  rejection,
  running,
  runningNow,
  sharedExecutor,
  startedExecutor,
} from '../../support/executors.js';
import { all, aTask } from '../../support/queue-tasks.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

describe('submit', () => {
  const shared = sharedExecutor();

  test('gives what the handler returned, of values of any kind that can be cloned', async () => {
    const executor = await startedExecutor({ concurrency: 4 });
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      maxDepth: 3,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('echo', 'echoLater'),
        async (values, how) => {
          const got = await Promise.all(values.map((value) => executor.submit(how, value)));
          expect(got).toEqual(structuredClone(values));
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ['fail', 'RangeError', undefined],
    ['failLater', 'Error', 'E_LATER'],
  ])('rejects with what the handler threw, rebuilt as the cause: %s', async (handler, name, code) => {
    const executor = await startedExecutor({ threads: 1 });
    const error = await rejection(executor.submit(handler, 'too far', { id: 'a' }));
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({
      code: 'ERR_TASK_FAILED',
      message: `task a (${handler}) failed: ${name}: too far`,
      outcome: { id: 'a', handler, state: 'failed', attempts: 1, crashes: 0, thread: 1 },
    });
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.cause).toMatchObject({ name, message: 'too far', stack: expect.stringContaining('handlers.mjs') });
    expect((error.cause as { code?: string }).code).toBe(code);
  });

  test('refuses a handler that is not exported, and names those that are', async () => {
    const executor = await startedExecutor({ threads: 1 });
    expect(executor.handlers.has('echo')).toBe(true);
    expect(executor.handlers.has('notAFunction')).toBe(false);
    for (const handler of ['nope', 'notAFunction']) {
      const error = await rejection(executor.submit(handler, 1));
      expect(error).toMatchObject({ code: 'ERR_HANDLER_MISSING', hint: expect.stringContaining('echo') });
    }
    expect(await executor.counts()).toMatchObject({ queued: 0, failed: 0 });
  });

  test('refuses an input that cannot travel', async () => {
    expect(await rejection(shared().submit('echo', () => 1))).toMatchObject({ code: 'ERR_VALUE_NOT_CLONEABLE' });
  });

  test.each([
    [{ id: '' }, 'id'],
    [{ id: '#1' }, 'id'],
    [{ id: 7 }, 'id'],
    [{ id: 1n }, 'id'],
    [{ priority: 1.5 }, 'priority'],
    [{ priority: Symbol('high') }, 'priority'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: '5' }, 'timeoutMs'],
    [{ timeoutMs: Infinity }, 'timeoutMs'],
    [{ retries: -1 }, 'retries'],
    [{ retries: 0.5 }, 'retries'],
    [{ retries: 1e300 }, 'retries'],
  ])('refuses a task with %o', async (options, what) => {
    const error = await rejection(shared().submit('echo', 1, options as object));
    expect(error).toMatchObject({ code: 'ERR_INVALID_TASK', message: expect.stringContaining(what) });
  });

  test('thousands in one tick all come back, each with its own', async () => {
    const executor = await startedExecutor();
    const inputs = Array.from({ length: 5000 }, (_, index) => index);
    const idle = executor.idle();
    const results = Promise.all(inputs.map((input) => executor.submit('echo', input)));
    expect(await results).toEqual(inputs);
    await idle;
    expect(await executor.counts()).toMatchObject({ done: 5000, queued: 0, running: 0 });
  });

  test('a value nested too deep for the main thread harms nobody but who asked for it', async () => {
    const executor = await startedExecutor();
    const deep = executor.submit('nest', 7000, { id: 'deep' });
    const neighbours = [executor.submit('echo', 1), executor.submit('nest', 500)];
    expect(await rejection(deep)).toMatchObject({
      code: 'ERR_VALUE_NOT_CLONEABLE',
      hint: expect.stringContaining('less deeply'),
    });
    expect(await rejection(executor.outcome('deep'))).toMatchObject({ code: 'ERR_VALUE_NOT_CLONEABLE' });
    expect((await Promise.all(neighbours))[0]).toBe(1);
    expect(await executor.counts()).toMatchObject({ done: 3 });
  });
});

describe('a task id', () => {
  test('submitted twice is run once, and both get its outcome', async () => {
    const executor = await startedExecutor();
    const file = join(tempDir(), 'witness');
    const both = [1, 2].map(() => executor.submit('witness', { file, ms: 5 }, { id: 'same' }));
    expect(await Promise.all(both)).toEqual(['same', 'same']);
    // Also once it has ended.
    expect(await executor.submit('witness', { file, ms: 5 }, { id: 'same' })).toBe('same');
    expect(readFileSync(file, 'utf8')).toBe('same\n');
  });

  test('is taken: with another input or handler it is refused, and the first goes on', async () => {
    const executor = await startedExecutor();
    const first = executor.submit('echoLater', 1, { id: 'same' });
    const error = await rejection(executor.submit('echoLater', 2, { id: 'same' }));
    expect(error).toMatchObject({
      code: 'ERR_TASK_CONFLICT',
      message: expect.stringContaining('"same"'),
      hint: expect.any(String),
    });
    expect(await endOf(executor.submit('echo', 1, { id: 'same' }))).toBe('ERR_TASK_CONFLICT');
    expect(await first).toBe(1);
  });

  test('keeps its outcome for a later executor, good or bad', async () => {
    const dir = tempDir();
    const first = await startedExecutor({ dir, durable: true });
    const good = await first.submit('place', undefined, { id: 'good' });
    const bad = await rejection(first.submit('fail', 'no', { id: 'bad' }));
    await first.stop();

    const second = await startedExecutor({ dir, durable: true });
    expect(await second.submit('place', undefined, { id: 'good' })).toEqual(good);
    expect((await rejection(second.submit('fail', 'no', { id: 'bad' })))['outcome']).toEqual(bad['outcome']);
    expect(await endOf(second.submit('place', 1, { id: 'good' }))).toBe('ERR_TASK_CONFLICT');
    expect(await second.outcome('good')).toMatchObject({ state: 'done', result: good });
    expect(await second.outcome('unknown')).toBeUndefined();
  });

  test('waited for by result and by outcome, serves both', async () => {
    const executor = await startedExecutor();
    const outcomes: unknown[] = [];
    const result = executor.submit('echo', 3);
    for await (const outcome of executor.map('echo', [1, 2])) outcomes.push(outcome.result);
    expect(outcomes).toEqual([1, 2]);
    expect(await result).toBe(3);
  });
});

test('an id with half of a surrogate pair is nobody, also where another task has what SQLite would make of it', async () => {
  const executor = await startedExecutor({ durable: true });
  executor.pause();
  const waiting = executor.submit('echo', 1, { id: 'a\ufffd' });
  await executor.enqueue([]);
  expect(await executor.cancel('a\ud800')).toBe(false);
  executor.resume();
  expect(await waiting).toBe(1);
  expect(await executor.outcome('a\ud800')).toBeUndefined();
  expect(await endOf(executor.submit('echo', 1, { id: 'a\ud800' }))).toBe('ERR_INVALID_TASK');
  expect(await executor.submit('echo', 1, { id: '\u{1f600}' })).toBe(1);
  expect(await executor.outcome('\u{1f600}')).toMatchObject({ result: 1 });
});

describe('outcomes', () => {
  test('are told as events, each once, in the order of their ordinals, and are recorded as told', async () => {
    const executor = await startedExecutor({ durable: true });
    const told: (TaskOutcome & { ordinal: number })[] = [];
    executor.on('outcome', (outcome, ordinal) => told.push({ ...outcome, ordinal }));
    const inputs = [1, 'text', { a: [null] }, new Map([[1, 2]]), undefined];
    await Promise.all([...inputs.map((input) => executor.submit('echo', input)), endOf(executor.submit('fail', 'no'))]);
    await executor.idle();
    expect(told.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await executor.lastOrdinal()).toBe(6);
    const recorded = await all(executor.outcomes());
    expect(recorded).toEqual(told);
    const results = recorded.filter(({ state }) => state === 'done').map(({ result }) => result);
    expect(new Set(results)).toEqual(new Set(inputs));
    expect((await all(executor.outcomes({ state: 'failed' }))).map(({ state }) => state)).toEqual(['failed']);
  });

  test('are plain data that can be compared, copied, printed and written as JSON, whichever way they come', async () => {
    const executor = await startedExecutor();
    const told: TaskOutcome[] = [];
    executor.on('outcome', (outcome) => told.push(outcome));
    await executor.submit('echo', { a: [1] }, { id: 'a' });
    await executor.submit('echo', undefined, { id: 'b' });
    const [first, second] = told as [TaskOutcome, TaskOutcome];
    expect(first.result).toEqual({ a: [1] });
    expect(first.result).toBe(first.result);
    const asked = await executor.outcome('a');
    deepStrictEqual(first, asked);
    expect(JSON.stringify(first)).toBe(JSON.stringify(asked));
    expect(inspect(first)).toBe(inspect(asked));
    expect(structuredClone(first)).toEqual(asked);
    deepStrictEqual(second, await executor.outcome('b'));
    expect(second).not.toHaveProperty('result');
    const recorded = await all(executor.outcomes());
    deepStrictEqual(
      recorded,
      told.map((outcome, index) => ({ ...outcome, ordinal: index + 1 })),
    );
  });

  test('are given where a result cannot be read here, and reading that one throws', async () => {
    const executor = await startedExecutor();
    const told: TaskOutcome[] = [];
    executor.on('outcome', (outcome) => told.push(outcome));
    await rejection(executor.submit('nest', 7000, { id: 'deep' }));
    await executor.submit('echo', 1, { id: 'flat' });
    for (const outcomes of [told, await all(executor.outcomes())]) {
      expect(outcomes.map(({ id, state }) => [id, state])).toEqual([
        ['deep', 'done'],
        ['flat', 'done'],
      ]);
      expect(() => outcomes[0]!.result).toThrow(/cannot be read here/);
      expect(outcomes[1]!.result).toBe(1);
    }
  });

  test('tell when, where and for how long the last attempt ran', async () => {
    const before = Date.now();
    const executor = await startedExecutor();
    await executor.submit('wait', 30, { id: 'a' });
    const outcome = (await executor.outcome('a'))!;
    expect(outcome.startedAt).toBeGreaterThanOrEqual(before - 1);
    expect(outcome.startedAt! + outcome.durationMs).toBeLessThanOrEqual(Date.now() + 1);
    expect(outcome.durationMs).toBeGreaterThanOrEqual(28);
    expect([1, 2]).toContain(outcome.thread);
  });
});

describe('retries', () => {
  test('an attempt that failed is tried again, and the outcome tells how often', async () => {
    const executor = await startedExecutor({ retries: 3 });
    expect(await executor.submit('failTimes', 2, { id: 'a' })).toBe(3);
    expect(await executor.outcome('a')).toMatchObject({ state: 'done', attempts: 3, crashes: 0 });
  });

  test('the last attempt counts when all of them fail; a task may have retries of its own', async () => {
    const executor = await startedExecutor({ retries: 2 });
    const [three, one, five] = await Promise.all([
      rejection(executor.submit('failTimes', 9)),
      rejection(executor.submit('failTimes', 9, { retries: 0 })),
      rejection(executor.submit('failTimes', 9, { retries: 4 })),
    ]);
    expect(three['outcome']).toMatchObject({ attempts: 3, error: { message: 'attempt 3' } });
    expect(one['outcome']).toMatchObject({ attempts: 1 });
    expect(five['outcome']).toMatchObject({ attempts: 5 });
  });

  test('what ran out of time is tried again as well', async () => {
    const executor = await startedExecutor({ retries: 3, timeout: 50 });
    expect(await executor.submit('lateTimes', 2, { id: 'a' })).toBe(3);
    expect(await executor.outcome('a')).toMatchObject({ state: 'done', attempts: 3 });
  });

  test('a task that waits for its next attempt is counted as delayed, and keeps nobody from working', async () => {
    const executor = await startedExecutor({ retries: 1, threads: 1, backoff: { base: '1d', max: '1d' } });
    const delayed = executor.submit('failTimes', 1, { id: 'a' });
    await waitFor('the retry to wait', async () => (await executor.counts()).delayed === 1);
    expect(await executor.submit('echo', 1)).toBe(1);
    expect(await executor.cancel('a')).toBe(true);
    expect(await endOf(delayed)).toBe('cancelled');
    expect(await executor.outcome('a')).toMatchObject({ attempts: 1, startedAt: null, thread: null });
  });

  test('tasks with an outcome can be made ready again, as if they had never run', async () => {
    const executor = await startedExecutor();
    const dir = tempDir();
    expect(await endOf(executor.submit('untilFile', join(dir, 'x'), { id: 'a', timeoutMs: 30 }))).toBe('timed-out');
    writeFileSync(join(dir, 'x'), '');
    expect(await executor.retry(['failed', 'timed-out'])).toBe(1);
    await executor.idle();
    expect(await executor.outcome('a')).toMatchObject({ state: 'done', result: 1 });
  });
});

test('tasks of a higher priority run first, equal ones in the order they came', async () => {
  const executor = await startedExecutor({ threads: 1 });
  executor.pause();
  const priorities = [0, 5, -3, 5, 0, 9, -3];
  const order: string[] = [];
  executor.on('outcome', ({ id }) => order.push(id));
  const all = priorities.map((priority, index) => executor.submit('echo', index, { id: `${index}`, priority }));
  executor.resume();
  await Promise.all(all);
  expect(order).toEqual(['5', '1', '3', '0', '4', '2', '6']);
});

describe('cancel', () => {
  const CANCELLED = { state: 'cancelled', error: { code: 'ERR_TASK_CANCELLED' } };

  test('a task that waits is recorded at once, and never runs', async () => {
    const executor = await startedExecutor();
    executor.pause();
    const file = join(tempDir(), 'witness');
    const waiting = executor.submit('witness', { file }, { id: 'a' });
    await waitFor('it to be queued', async () => (await executor.counts()).queued === 1);
    expect(await executor.cancel('a')).toBe(true);
    expect(await rejection(waiting)).toMatchObject({ code: 'ERR_TASK_CANCELLED' });
    executor.resume();
    await executor.idle();
    expect(await executor.outcome('a')).toMatchObject({
      ...CANCELLED,
      attempts: 0,
      startedAt: null,
      durationMs: 0,
      thread: null,
    });
    expect(() => readFileSync(file)).toThrow('ENOENT');
    expect((await executor.status()).statistics).toMatchObject({ settled: 1, taskMs: null });
  });

  test('tasks that wait in hand, or in a batch behind one that holds its thread, are cancelled and never start', async () => {
    const executor = await startedExecutor({ threads: 1 });
    // So that tasks of this handler are known to be cheap, and travel together.
    for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 300 }, () => executor.submit('hold', 'no')));
    const ids = Array.from({ length: 50 }, (_, index) => `t${index}`);
    const spinning = executor.submit('hold', 'spin', { id: 'spin' });
    const all = ids.map((id) => endOf(executor.submit('hold', id, { id })));
    await running(executor, 'spin');
    expect(await Promise.all(ids.map((id) => executor.cancel(id)))).toEqual(ids.map(() => true));
    expect(await runningNow(executor)).toEqual(['spin']);
    expect(await Promise.all(all)).toEqual(ids.map(() => 'cancelled'));
    expect(await executor.outcome('t7')).toMatchObject({ ...CANCELLED, startedAt: null });
    expect(await executor.cancel('spin')).toBe(true);
    // It stopped when it saw the signal, and brought a result.
    expect(await spinning).toBe('AbortError');
  });

  test('tasks that were submitted in this very tick, few or thousands, are cancelled', async () => {
    for (const durable of [false, true]) {
      const executor = await startedExecutor({ durable, threads: 1, dir: tempDir() });
      executor.pause();
      const all = Array.from({ length: 2500 }, (_, index) =>
        endOf(executor.submit('echo', index, { id: `t${index}` })),
      );
      const cancelled = ['t0', 't1500', 't2499'].map((id) => executor.cancel(id));
      expect(await Promise.all(cancelled)).toEqual([true, true, true]);
      executor.resume();
      const ends = await Promise.all(all);
      expect([ends[0], ends[1], ends[1500], ends[2499]]).toEqual(['cancelled', 1, 'cancelled', 'cancelled']);
    }
  });

  test('a task that runs has its signal aborted, and what it then throws makes it cancelled', async () => {
    const executor = await startedExecutor();
    for (const handler of ['untilAborted', 'spinUntilThrown']) {
      const task = executor.submit(handler, 0, { id: handler });
      await running(executor, handler);
      expect(await executor.cancel(handler)).toBe(true);
      expect(await endOf(task)).toBe('cancelled');
      expect(await executor.outcome(handler)).toMatchObject({ ...CANCELLED, attempts: 1 });
    }
  });

  test('a task that ends well although it was cancelled is done', async () => {
    const executor = await startedExecutor();
    const task = executor.submit('lateResult', 0, { id: 'a' });
    await running(executor, 'a');
    expect(await executor.cancel('a')).toBe(true);
    expect(await task).toBe('late');
  });

  test.each(['deaf', 'spin'])('a task that does not listen loses its thread after the grace: %s', async (handler) => {
    const executor = await startedExecutor({ threads: 1 });
    const task = rejection(executor.submit(handler, 0, { id: 'a' }));
    await running(executor, 'a');
    expect(await executor.cancel('a')).toBe(true);
    expect(await executor.cancel('a')).toBe(true);
    expect(await task).toMatchObject({
      code: 'ERR_TASK_CANCELLED',
      message: expect.stringContaining('its thread was ended'),
    });
    expect(await executor.submit('echo', 'still there')).toBe('still there');
  });

  test('a task that has its outcome, or that nobody knows, is told as such', async () => {
    const executor = await startedExecutor();
    await executor.submit('echo', 1, { id: 'a' });
    expect(await executor.cancel('a')).toBe(false);
    expect(await executor.cancel('b')).toBe(false);
    expect(await executor.cancel('#99')).toBe(false);
    expect(await executor.outcome('a')).toMatchObject({ state: 'done' });
  });

  test('a task without an id is cancelled by the name the queue gave it', async () => {
    const executor = await startedExecutor({ durable: true });
    const task = executor.submit('untilAborted', 0);
    await running(executor, '#1');
    expect(await executor.cancel('#1')).toBe(true);
    expect(await endOf(task)).toBe('cancelled');
  });

  test('outlasts a timeout: the task is not tried again', async () => {
    const executor = await startedExecutor({ retries: 9, timeout: 30, grace: 200 });
    // Out of time, and asked to stop, it goes on for a while.
    const task = executor.submit('deaf', 0, { id: 'a' });
    const asked = await running(executor, 'a');
    expect(asked).toBeTruthy();
    await waitFor('its time to be over', async () => {
      const [{ since } = { since: Infinity }] = (await executor.status()).threads.flatMap((thread) => thread.running);
      return Date.now() - since > 80;
    });
    expect(await executor.cancel('a')).toBe(true);
    expect(await endOf(task)).toBe('cancelled');
  });

  test('outlasts the death of the thread', async () => {
    const executor = await startedExecutor({ grace: 5000 });
    const task = executor.submit('exitLater', 100, { id: 'a' });
    await running(executor, 'a');
    expect(await executor.cancel('a')).toBe(true);
    expect(await endOf(task)).toBe('cancelled');
  });

  test('cancelling many at any instant leaves each task with one outcome, of a kind that fits', async () => {
    const executor = await startedExecutor({ concurrency: 3, durable: true });
    const told = new Map<string, number>();
    executor.on('outcome', ({ id }) => told.set(id, (told.get(id) ?? 0) + 1));
    const ids = Array.from({ length: 300 }, (_, index) => `t${index}`);
    const ends = ids.map((id, index) => endOf(executor.submit(index % 3 ? 'echo' : 'wait', index % 3, { id })));
    const cancels = ids.map(async (id, index) => {
      for (let turn = 0; turn < index % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
      const cancelled = await executor.cancel(id);
      if (!cancelled) expect(await executor.outcome(id)).toBeDefined();
      return cancelled;
    });
    const cancelled = await Promise.all(cancels);
    const got = await Promise.all(ends);
    await executor.idle();
    got.forEach((end, index) => {
      // Who was told `false` has its result; who was told `true` may have ended well just before it heard.
      if (!cancelled[index]) expect(end).toBe(index % 3);
      else expect(['cancelled', index % 3]).toContain(end);
    });
    expect([...told.values()].every((times) => times === 1)).toBe(true);
    expect(told.size).toBe(300);
    const { done, cancelled: never } = await executor.counts();
    expect(done + never).toBe(300);
    expect(never).toBe(got.filter((end) => end === 'cancelled').length);
  });
});

describe('pause, resume, drain', () => {
  test('while it is paused it accepts and starts nothing; what runs goes on', async () => {
    const executor = await startedExecutor();
    const modes: string[] = [];
    executor.on('mode-changed', (mode) => modes.push(mode));
    const file = join(tempDir(), 'x');
    const held = executor.submit('untilFile', file, { id: 'held' });
    await running(executor, 'held');
    executor.pause();
    executor.pause();
    const waiting = executor.submit('echo', 2, { id: 'waiting' });
    await waitFor('it to be queued', async () => (await executor.counts()).queued === 1);
    writeFileSync(file, '');
    expect(await held).toBe(1);
    expect(await executor.counts()).toMatchObject({ queued: 1, running: 0 });
    executor.resume();
    executor.resume();
    expect(await waiting).toBe(2);
    expect(modes).toEqual(['paused', 'running']);
    expect(executor.mode).toBe('running');
  });

  test('pausing takes back what no task of a batch has started, and loses none of it', async () => {
    const executor = await startedExecutor();
    await Promise.all(Array.from({ length: 2000 }, () => executor.submit('hold', 'no')));
    const spinning = ['s1', 's2'].map((id) => executor.submit('hold', 'spin', { id }));
    const all = Array.from({ length: 200 }, (_, index) => executor.submit('hold', index));
    await running(executor, 's1', 's2');
    executor.pause();
    await waitFor('the rest to be queued again', async () => {
      const { queued, running, done } = await executor.counts();
      return running === 2 && queued + done === 2200;
    });
    await Promise.all(['s1', 's2'].map((id) => executor.cancel(id)));
    await Promise.all(spinning);
    executor.resume();
    expect(await Promise.all(all)).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  test('drain ends when nothing runs, leaves the rest in the queue, and resume goes on with it', async () => {
    const executor = await startedExecutor({ threads: 1 });
    const file = join(tempDir(), 'x');
    const held = executor.submit('untilFile', file, { id: 'held' });
    await running(executor, 'held');
    const waiting = executor.submit('echo', 2);
    let drained = false;
    const draining = executor.drain().then(() => (drained = true));
    await waitFor('it to be queued', async () => (await executor.counts()).queued === 1);
    expect(executor.mode).toBe('draining');
    expect(drained).toBe(false);
    writeFileSync(file, '');
    await draining;
    expect(await held).toBe(1);
    expect(await executor.counts()).toMatchObject({ queued: 1, running: 0 });
    executor.pause();
    expect(executor.mode).toBe('draining');
    executor.resume();
    expect(await waiting).toBe(2);
  });
});

describe('idle', () => {
  test('resolves at once when there is nothing to do, and waits for all that was accepted', async () => {
    const executor = await startedExecutor();
    await executor.idle();
    const ends: string[] = [];
    executor.on('outcome', ({ id }) => ends.push(id));
    void executor.submit('wait', 20, { id: 'slow' });
    await executor.enqueue([1, 2].map((n) => ({ id: `t${n}`, handler: 'echo', input: 1 })));
    await executor.idle();
    expect(ends.toSorted()).toEqual(['slow', 't1', 't2']);
  });

  test('waits for retries, and ends when the last waiting task was cancelled', async () => {
    const executor = await startedExecutor({ retries: 2 });
    void executor.submit('failTimes', 2);
    await executor.idle();
    expect(await executor.counts()).toMatchObject({ done: 1, delayed: 0 });
    executor.pause();
    const cancelled = endOf(executor.submit('echo', 1, { id: 'a' }));
    const idle = executor.idle();
    await waitFor('it to be queued', async () => (await executor.counts()).queued === 1);
    await executor.cancel('a');
    await idle;
    expect(await cancelled).toBe('cancelled');
  });

  test('rejects when the executor stops before, and ever after', async () => {
    const executor = await startedExecutor();
    executor.pause();
    void endOf(executor.submit('echo', 1));
    const idle = rejection(executor.idle());
    const stopping = executor.stop();
    expect(await idle).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
    expect(await rejection(executor.idle())).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
    await stopping;
    expect(await rejection(executor.idle())).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
  });
});

describe('stop', () => {
  test('lets what runs come to its end and be told; what waits is done by the next executor', async () => {
    const dir = tempDir();
    const first = await startedExecutor({ dir, durable: true, threads: 1 });
    const file = join(dir, 'x');
    const held = first.submit('untilFile', file, { id: 'held' });
    await running(first, 'held');
    const waiting = rejection(first.submit('echo', 2, { id: 'waiting' }));
    const stopping = first.stop();
    expect(first.mode).toBe('stopping');
    expect(await endOf(first.submit('echo', 3))).toBe('ERR_EXECUTOR_STOPPED');
    writeFileSync(file, '');
    expect(await held).toBe(1);
    expect(await waiting).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED', hint: expect.stringContaining('same run id') });
    await stopping;
    expect(first.mode).toBe('stopped');

    const second = await startedExecutor({ dir, durable: true });
    expect(await second.submit('echo', 2, { id: 'waiting' })).toBe(2);
    expect(await second.counts()).toMatchObject({ done: 2, queued: 0 });
  });

  test.each(['untilFile', 'deaf', 'spin'])(
    'by force makes interrupted tasks ready again, charged nothing: %s',
    async (handler) => {
      const dir = tempDir();
      const first = await startedExecutor({ dir, durable: true, concurrency: 2 });
      const file = join(dir, 'x');
      const tasks = ['a', 'b', 'c'].map((id) =>
        rejection(first.submit(id === 'a' ? handler : 'untilFile', file, { id })),
      );
      await running(first, 'a', 'b', 'c');
      const graceful = first.stop();
      await first.stop({ force: true });
      await graceful;
      expect((await Promise.all(tasks)).map(({ code }) => code)).toEqual(Array(3).fill('ERR_EXECUTOR_STOPPED'));

      writeFileSync(file, '');
      const second = await startedExecutor({ dir, durable: true, concurrency: 2 });
      const again = ['a', 'b', 'c'].map((id) => endOf(second.submit(id === 'a' ? handler : 'untilFile', file, { id })));
      if (handler !== 'untilFile') {
        await running(second, 'a');
        await second.cancel('a');
      }
      expect(await Promise.all(again)).toEqual([handler === 'untilFile' ? 1 : 'cancelled', 1, 1]);
      expect(await second.outcome('a')).toMatchObject({ attempts: 1, crashes: 0 });
    },
  );

  test('by force, several that are deaf on one thread are all ready again', async () => {
    const dir = tempDir();
    const first = await startedExecutor({ dir, durable: true, threads: 1, concurrency: 3 });
    const ids = ['a', 'b', 'c'];
    const ends = ids.map((id) => endOf(first.submit('deaf', 0, { id })));
    await running(first, ...ids);
    await first.stop({ force: true });
    expect(await Promise.all(ends)).toEqual(Array(3).fill('ERR_EXECUTOR_STOPPED'));
    const reader = (await openSqliteQueueReader(join(dir, 'runs', 'run-1', 'queue.db')))!;
    expect(await reader.counts()).toMatchObject({ queued: 3, running: 0 });
    await reader.close();
  });

  test('in memory, what waits is gone, and that is said', async () => {
    const executor = await startedExecutor();
    executor.pause();
    const waiting = rejection(executor.submit('echo', 1));
    await executor.stop();
    expect((await waiting)['hint']).toContain('gone with it');
  });

  test('frees the lock for the next, and can be called again; what is asked of it afterwards is refused', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir });
    expect(await endOf(createExecutor({ runId: 'run-1', dir, handlers: HANDLERS }))).toBe('ERR_EXECUTOR_RUNNING');
    await executor.stop();
    await executor.stop({ force: true });
    await executor.drain();
    executor.pause();
    executor.resume();
    expect(executor.mode).toBe('stopped');
    for (const asked of [
      executor.scale(3),
      executor.enqueue([]),
      executor.cancel('a'),
      executor.counts(),
      executor.submit('echo', 1),
    ]) {
      expect(await rejection(asked)).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
    }
    await (await startedExecutor({ dir })).stop();
  });

  test('happens at the end of the block that holds it', async () => {
    let seen;
    {
      await using executor = await startedExecutor();
      seen = executor;
      expect(await executor.submit('echo', 1)).toBe(1);
    }
    expect(seen.mode).toBe('stopped');
  });
});

describe('map', () => {
  const shared = sharedExecutor();

  test('yields outcomes in the order of the inputs, and a failure is one of them', async () => {
    const executor = await startedExecutor({ concurrency: 3 });
    async function* inputs() {
      for (let ms = 20; ms >= 0; ms -= 2) yield ms;
    }
    const results: unknown[] = [];
    for await (const { state, result } of executor.map('wait', inputs())) results.push([state, result]);
    expect(results).toEqual([20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0].map((ms) => ['done', ms]));
    const states: string[] = [];
    for await (const outcome of executor.map('failTimes', [0, 1, 0]))
      states.push(outcome.error?.message ?? outcome.state);
    expect(states).toEqual(['done', 'attempt 1', 'done']);
  });

  test('reads a source of any length no further than its window ahead', async () => {
    const executor = await startedExecutor();
    let read = 0;
    let yielded = 0;
    let most = 0;
    function* inputs() {
      while (read < 20_000) yield ++read;
    }
    for await (const { result } of executor.map('echo', inputs(), { window: 500 })) {
      expect(result).toBe(++yielded);
      most = Math.max(most, read - yielded);
    }
    expect(yielded).toBe(20_000);
    expect(most).toBeLessThanOrEqual(500);
  });

  test('left early, leaves what was read in the queue, and the executor as it was', async () => {
    const executor = await startedExecutor();
    let read = 0;
    function* inputs() {
      for (;;) yield ++read;
    }
    for await (const { result } of executor.map('echo', inputs(), { window: 10 })) if (result === 3) break;
    await executor.idle();
    expect((await executor.counts()).done).toBe(read);
    expect(await executor.submit('echo', 1)).toBe(1);
  });

  test('tells of an input that cannot travel in its turn, after the outcomes before it', async () => {
    const executor = await startedExecutor();
    const results: unknown[] = [];
    const loop = async () => {
      for await (const { result } of executor.map('echo', [1, 2, () => 3, 4])) results.push(result);
    };
    expect(await rejection(loop())).toMatchObject({ code: 'ERR_VALUE_NOT_CLONEABLE' });
    expect(results).toEqual([1, 2]);
  });

  test('ends with the reason when the executor stops', async () => {
    const executor = await startedExecutor();
    const loop = async () => {
      for await (const { result } of executor.map('echo', [1, 2])) {
        expect(result).toBe(1);
        executor.pause();
        void executor.submit('echo', 1).catch(() => {});
        void executor.stop();
        for await (const _ of executor.map('echo', [3]));
      }
    };
    expect(await rejection(loop())).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity, '7'])('refuses a window of %s', async (window) => {
    const map = shared().map('echo', [1], { window: window as number });
    expect(await rejection(map.next())).toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
  });
});

test('statistics: counts, percentiles in order, and how busy the threads were', async () => {
  const executor = await startedExecutor();
  expect((await executor.status()).statistics).toMatchObject({ settled: 0, taskMs: null, busy: 0 });
  await Promise.all([...Array.from({ length: 99 }, () => executor.submit('echo', 1)), executor.submit('work', 60)]);
  const { settled, taskMs, busy, elapsedMs } = (await executor.status()).statistics;
  expect(settled).toBe(100);
  expect(taskMs!.p50).toBeLessThanOrEqual(taskMs!.p95);
  expect(taskMs!.p95).toBeLessThanOrEqual(taskMs!.p99);
  expect(taskMs!.p99).toBeLessThanOrEqual(taskMs!.max);
  expect(taskMs!.max).toBeGreaterThanOrEqual(59);
  expect(busy).toBeGreaterThan(0);
  expect(busy).toBeLessThanOrEqual(1);
  expect(elapsedMs).toBeGreaterThanOrEqual(60);
});

test('status: what each thread does, since when, and how far it says it is', async () => {
  const executor = await startedExecutor({ durable: true });
  const task = executor.submit('progressAndWait', 3, { id: 'a' });
  const { threads, epoch, mode, runId } = await waitFor('its progress', async () => {
    const status = await executor.status();
    const loaded = status.threads.every(({ state }) => state !== 'loading');
    return loaded && status.threads.some((thread) => thread.running[0]?.progress) ? status : undefined;
  });
  expect({ epoch, mode, runId }).toEqual({ epoch: 1, mode: 'running', runId: 'run-1' });
  expect(threads.map(({ number, state }) => [number, state]).toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
    expect.arrayContaining([
      [expect.any(Number), 'busy'],
      [expect.any(Number), 'idle'],
    ]),
  );
  const busy = threads.find(({ state }) => state === 'busy')!;
  expect(busy.running).toEqual([
    {
      id: 'a',
      handler: 'progressAndWait',
      since: expect.any(Number),
      input: '3',
      progress: { done: 3, total: 10 },
    },
  ]);
  expect(Math.abs(busy.running[0]!.since - Date.now())).toBeLessThan(60_000);
  expect(Math.abs(busy.lastBeat! - Date.now())).toBeLessThan(60_000);
  await executor.cancel('a');
  await task;
  // What the task said is not said of the next one in its place.
  await Promise.all([executor.submit('echo', 1), executor.submit('echo', 2)]);
  expect((await executor.status()).threads.flatMap((thread) => thread.running)).toEqual([]);
});

test('a delay that an executor with another clock left behind is no longer than the longest backoff', async () => {
  const dir = tempDir();
  mkdirSync(join(dir, 'runs', 'run-1'), { recursive: true, mode: 0o700 });
  const queue = await openSqliteQueue(join(dir, 'runs', 'run-1', 'queue.db'));
  await queue.add([aTask({ id: 'a', handler: 'echo' })]);
  const [claim] = await queue.claim(1, 0);
  const tomorrow = Date.now() + 86_400_000;
  await queue.settle([{ kind: 'retry', claim: claim!, attempts: 1, crashes: 0, runAt: tomorrow, earlier: [] }]);
  await queue.close();
  const executor = await startedExecutor({ dir, durable: true, backoff: { base: 1, max: 2 } });
  await executor.idle();
  expect(await executor.outcome('a')).toMatchObject({ state: 'done', attempts: 2 });
});

test('status tells when the next delayed task is due', async () => {
  const executor = await startedExecutor({ retries: 1, backoff: { base: 3_600_000, max: 3_600_000 } });
  expect((await executor.status()).nextDueMs).toBeNull();
  void executor.submit('fail', 'no').catch(() => {});
  await waitFor('its retry', async () => (await executor.status()).counts.delayed === 1);
  const { nextDueMs } = await executor.status();
  expect(nextDueMs).toBeGreaterThanOrEqual(0);
  expect(nextDueMs).toBeLessThanOrEqual(3_600_000);
});

test('a dozen executors in one process warn of nothing, and leave nothing behind', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  const before = process.listenerCount('exit');
  const executors = await Promise.all(
    Array.from({ length: 12 }, (_, index) => startedExecutor({ runId: `run-${index}`, threads: 1 })),
  );
  await Promise.all(executors.map((executor) => executor.submit('echo', 1)));
  await Promise.all(executors.map((executor) => executor.stop()));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warn);
  expect(warnings).toEqual([]);
  expect(process.listenerCount('exit')).toBe(before);
});
