/** What the small parts of an executor hold, and how it bears with a queue or a lock that fails it. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TaskError } from '../../../dist/index.js';
import { HoldfastError } from '../../../dist/base/errors.js';
import { Executor } from '../../../dist/runtime/executor.js';
import type { ExecutorParts } from '../../../dist/runtime/executor-parts.js';
import { ProcessLock } from '../../../dist/system/lock/process-lock.js';
import { resolveOptions } from '../../../dist/runtime/options.js';
import { Dispatcher } from '../../../dist/runtime/pool/dispatcher.js';
import { openMemoryQueue } from '../../../dist/runtime/queue/memory/memory-queue.js';
import { startExecutor } from '../../../dist/runtime/start-executor.js';
import { Statistics } from '../../../dist/runtime/statistics.js';
import { toErrorRecord } from '../../../dist/runtime/thread/error-record.js';
import { HANDLERS, rejection } from '../../support/executors.js';
import { reaper } from '../../support/reaper.js';
import { tempDir } from '../../support/temp-dir.js';

describe('statistics', () => {
  test('know nothing before the first task, and never divide by it', () => {
    expect(new Statistics().snapshot(0, 0)).toEqual({
      elapsedMs: expect.any(Number),
      settled: 0,
      outcomes: { done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 },
      taskMs: null,
      timed: { count: 0, sumMs: 0 },
      busy: 0,
    });
  });

  test('count every outcome, and time those that started', () => {
    const statistics = new Statistics();
    for (let ms = 1; ms <= 100; ms++) statistics.record({ state: 'done', startedAt: 1, durationMs: ms });
    statistics.record({ state: 'cancelled', startedAt: null, durationMs: 0 });
    const { settled, outcomes, taskMs, timed, busy } = statistics.snapshot(30, 120);
    expect(settled).toBe(101);
    expect(outcomes).toEqual({ done: 100, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 1 });
    expect(timed.count).toBe(100);
    expect(timed.sumMs).toBeCloseTo(5050, -1);
    expect(busy).toBe(0.25);
    // The histogram keeps three digits.
    expect(taskMs!.p50).toBeCloseTo(50, 0);
    expect(taskMs!.p95).toBeCloseTo(95, 0);
    expect(taskMs!.p99).toBeCloseTo(99, 0);
    expect(taskMs!.max).toBeCloseTo(100, 0);
  });

  test('hold times from nothing to weeks, and clocks of two threads that disagree a little', () => {
    const statistics = new Statistics();
    for (const durationMs of [0, -0.01, 1e-9, 1e9]) statistics.record({ state: 'done', startedAt: 1, durationMs });
    const { taskMs, busy } = statistics.snapshot(121, 120);
    expect(taskMs!.p50).toBeCloseTo(0, 2);
    expect(taskMs!.max).toBeGreaterThan(0.99e9);
    expect(busy).toBe(1);
  });
});

describe('a task error', () => {
  const outcome = { id: 'a', handler: 'h', attempts: 1, crashes: 0, startedAt: 1, durationMs: 1, thread: 1 };

  test.each([
    ['failed', 'ERR_TASK_FAILED'],
    ['crashed', 'ERR_TASK_CRASHED'],
    ['timed-out', 'ERR_TASK_TIMED_OUT'],
    ['cancelled', 'ERR_TASK_CANCELLED'],
  ] as const)('of a task that %s has a code of its own, and the outcome', (state, code) => {
    const error = new TaskError({
      ...outcome,
      state,
      error: { name: 'E', message: 'no', code: 'E_NO', stack: 'E: no\n    at here' },
    });
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject({
      name: 'TaskError',
      code,
      message: `task a (h) ${state}: E: no`,
      outcome: { id: 'a', state },
    });
    expect(error.cause).toMatchObject({ name: 'E', message: 'no', code: 'E_NO', stack: 'E: no\n    at here' });
  });

  test('has a cause of the class that was thrown, as far as the language knows it', () => {
    const rebuilt = (thrown: Error) =>
      new TaskError({ ...outcome, state: 'failed', error: toErrorRecord(thrown) }).cause as Error;
    class Mine extends RangeError {
      override name = 'Mine';
      readonly limit = 7;
    }
    const thrown = new Mine('too far', {
      cause: new SyntaxError('odd', { cause: new DOMException('no', 'AbortError') }),
    });
    const cause = rebuilt(thrown);
    expect(cause).toBeInstanceOf(RangeError);
    expect(cause).toMatchObject({ name: 'Mine', message: 'too far', stack: thrown.stack, limit: 7 });
    expect(cause.cause).toBeInstanceOf(SyntaxError);
    const below = (cause.cause as Error).cause;
    expect(below).toBeInstanceOf(DOMException);
    expect(below).toMatchObject({ name: 'AbortError', message: 'no', code: DOMException.ABORT_ERR });
    const many = rebuilt(new AggregateError([new TypeError('a'), 1], 'many')) as AggregateError;
    expect(many).toBeInstanceOf(AggregateError);
    expect(many.errors).toEqual([expect.any(TypeError), expect.any(Error)]);
    for (const Class of [EvalError, ReferenceError, TypeError, URIError]) {
      expect(rebuilt(new Class('x'))).toBeInstanceOf(Class);
      expect(Object.keys(rebuilt(new Class('x')))).toEqual([]);
    }
  });

  test('has a cause without code or stack where none was recorded, and no cause where nothing was', () => {
    const bare = new TaskError({ ...outcome, state: 'failed', error: { name: 'E', message: 'no' } });
    expect(bare.cause).not.toHaveProperty('code');
    expect((bare.cause as Error).stack).toBe('E: no');
    const none = new TaskError({ ...outcome, state: 'failed' });
    expect([none.message, none.cause]).toEqual(['task a (h) failed', undefined]);
  });
});

test('an executor whose queue cannot even be counted fails with that, and idle does not wait for ever', async () => {
  const dir = tempDir();
  const options = resolveOptions({ runId: 'run-1', handlers: HANDLERS, dir, durable: false, threads: 1 });
  const queue = openMemoryQueue();
  const trouble = new HoldfastError('ERR_QUEUE_IO', 'trouble');
  queue.counts = () => Promise.reject(trouble);
  const dispatcher = new Dispatcher({
    module: options.handlers,
    threads: 1,
    lanes: 1,
    captureOutput: false,
    reaper: reaper(),
    memory: undefined,
    rate: undefined,
    delayMs: 0,
    recycleAfterTasks: undefined,
    recycleAboveMemory: undefined,
    memoryTotal: undefined,
    retries: 0,
    backoffBase: 1,
    backoffMax: 1,
    maxCrashes: 1,
    timeout: undefined,
    grace: 1,
    stallAfter: 60_000,
    look: () => Promise.reject(new Error('nobody is stuck')),
    now: () => Date.now(),
  });
  const handlers = new Set(await dispatcher.pool.start());
  const lock = await new ProcessLock({ path: join(dir, 'run-1.lock'), runId: 'run-1' }).acquire();
  const parts: ExecutorParts = {
    options,
    runDir: dir,
    lock,
    release: () => lock.release(),
    queue,
    dispatcher,
    handlers,
    holds: false,
  };
  // The types do not show how an executor is made.
  const executor: Executor = Reflect.construct(Executor, [parts]);
  onTestFinished(() => executor.stop());
  dispatcher.open(queue, 0);
  const failures: Error[] = [];
  executor.on('failed', (error) => failures.push(error));
  expect(await rejection(executor.idle())).toBe(trouble);
  expect(failures).toEqual([trouble]);
});

test('an executor whose lock is lost before it has started does not start', async () => {
  const dir = tempDir();
  const go = join(dir, 'go');
  const module = join(dir, 'waiting.mjs');
  writeFileSync(
    module,
    `import { existsSync } from 'node:fs';
     while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 5));
     export const echo = (x) => x;`,
  );
  const path = join(dir, 'run-1.lock');
  const lock = await new ProcessLock({ path, runId: 'run-1', watchIntervalMs: 5 }).acquire();
  const lost = new Promise((resolve) => lock.once('lost', resolve));
  const options = resolveOptions({
    runId: 'run-1',
    handlers: module,
    dir: join(dir, 'state'),
    durable: false,
    threads: 1,
  });
  const starting = rejection(startExecutor(options, { lock }));
  rmSync(path);
  await lost;
  writeFileSync(go, '');
  expect(await starting).toMatchObject({ code: 'ERR_LOCK_LOST', message: expect.stringContaining(path) });
});
