import { getEventListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  InvalidInputError,
  TaskError,
  type SubmitOptions,
  type TaskProgressed,
  type TaskRetrying,
  type TaskStarted,
} from '../../../dist/index.js';
import { endOf, rejection, running, sharedExecutor, startedExecutor } from '../../support/executors.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

describe.each([true, false])('a signal that is handed to submit, durable: %s', (durable) => {
  test('which is aborted already: nothing is added, and its reason is told', async () => {
    const executor = await startedExecutor({ durable });
    const reason = new Error('no more');
    expect(await rejection(executor.submit('echo', 1, { id: 'a', signal: AbortSignal.abort(reason) }))).toBe(reason);
    const none = executor.submit('echo', 1, { signal: AbortSignal.abort() });
    expect(await rejection(none)).toMatchObject({ name: 'AbortError' });
    expect(await executor.counts()).toMatchObject({ queued: 0, running: 0, done: 0, cancelled: 0 });
  });

  test.each(['a', undefined])(
    'cancels a task that runs, that waits, or that was only just submitted; id %s',
    async (id) => {
      const executor = await startedExecutor({ durable, threads: 1 });
      const controllers = [1, 2, 3].map(() => new AbortController());
      const submit = (n: number) =>
        rejection(executor.submit('untilAborted', n, { ...(id && { id: id + n }), signal: controllers[n]!.signal }));
      const first = submit(0);
      await waitFor('it to run', async () => (await executor.counts()).running === 1);
      const second = submit(1);
      await waitFor(
        'it to wait',
        async () => (await executor.counts()).queued + (await executor.counts()).running === 2,
      );
      const third = submit(2);
      const reason = new Error('the client has gone');
      for (const controller of controllers.toReversed()) controller.abort(reason);
      for (const [n, end] of [first, second, third].entries()) {
        const error = await end;
        expect(error).toBeInstanceOf(TaskError);
        expect(error).toMatchObject({ code: 'ERR_TASK_CANCELLED', outcome: { state: 'cancelled' } });
        expect(error.cause).toBe(reason);
        expect(getEventListeners(controllers[n]!.signal, 'abort')).toEqual([]);
      }
      expect(await executor.counts()).toMatchObject({ queued: 0, running: 0, cancelled: 3 });
    },
  );

  test('that is not aborted changes nothing, and is let go of', async () => {
    const executor = await startedExecutor({ durable });
    const { signal } = new AbortController();
    expect(await Promise.all([1, 2, 3].map((n) => executor.submit('echo', n, { signal })))).toEqual([1, 2, 3]);
    expect(await rejection(executor.submit('fail', 'no', { signal }))).toMatchObject({ code: 'ERR_TASK_FAILED' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('and is aborted too late: the outcome stands', async () => {
    const executor = await startedExecutor({ durable });
    const controller = new AbortController();
    const result = await executor.submit('echo', 1, { id: 'a', signal: controller.signal });
    controller.abort();
    expect(result).toBe(1);
    expect(await executor.outcome('a')).toMatchObject({ state: 'done' });
  });

  test('whoever gives up takes nothing from others who wait for the same task', async () => {
    const executor = await startedExecutor({ durable });
    const file = join(tempDir(), 'x');
    const [first, second] = [new AbortController(), new AbortController()];
    const submit = (signal?: AbortSignal) => executor.submit('untilFile', file, { id: 'a', signal });
    const adder = rejection(submit(first.signal));
    const stays = submit();
    const joiner = rejection(submit(second.signal));
    await running(executor, 'a');
    const [one, other] = [new Error('one'), new Error('other')];
    first.abort(one);
    second.abort(other);
    expect(await adder).toBe(one);
    expect(await joiner).toBe(other);
    expect(await executor.counts()).toMatchObject({ running: 1 });
    writeFileSync(file, '');
    expect(await stays).toBe(1);
  });

  test('a task that was in the queue before goes on without whoever gave up', async () => {
    const executor = await startedExecutor({ durable });
    executor.pause();
    await executor.enqueue([{ id: 'a', handler: 'echo', input: 1 }]);
    const controller = new AbortController();
    const end = rejection(executor.submit('echo', 1, { id: 'a', signal: controller.signal }));
    // What was submitted is in the queue with what comes after it.
    await executor.enqueue([{ id: 'b', handler: 'echo', input: 1 }]);
    controller.abort(new Error('gone'));
    expect(await end).toMatchObject({ message: 'gone' });
    executor.resume();
    await executor.idle();
    expect(await executor.outcome('a')).toMatchObject({ state: 'done' });
  });
});

test('one signal for thousands of tasks warns of nothing', async () => {
  const executor = await startedExecutor();
  const warnings: unknown[] = [];
  const onWarning = (warning: unknown) => warnings.push(warning);
  process.on('warning', onWarning);
  const controller = new AbortController();
  const ends = Array.from({ length: 3000 }, () =>
    endOf(executor.submit('untilAborted', 1, { signal: controller.signal })),
  );
  await waitFor('some to run', async () => (await executor.counts()).running > 0);
  controller.abort();
  expect(new Set(await Promise.all(ends))).toEqual(new Set(['cancelled']));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

describe('onProgress', () => {
  test('is told what the handler tells, each caller of its own tasks', async () => {
    const executor = await startedExecutor({ concurrency: 4 });
    const told: [string, unknown][] = [];
    const controller = new AbortController();
    const { signal } = controller;
    const submit = (steps: number, id?: string) =>
      endOf(
        executor.submit('progressAndWait', steps, {
          ...(id && { id }),
          signal,
          onProgress: (progress) => told.push([`${id ?? 'unnamed'} ${steps}`, progress]),
        }),
      );
    const ends = [submit(3, 'a'), submit(3, 'a'), submit(4)];
    await waitFor('all to be told', () => told.length === 3);
    expect(told.toSorted()).toEqual([
      ['a 3', { done: 3, total: 10 }],
      ['a 3', { done: 3, total: 10 }],
      ['unnamed 4', { done: 4, total: 10 }],
    ]);
    controller.abort();
    await Promise.all(ends);
  });

  test('is not told of what comes after the end', async () => {
    const executor = await startedExecutor({ threads: 1 });
    let ended = false;
    let late = 0;
    let heard = 0;
    executor.on('progress', () => heard++);
    await executor.submit('chatter', 1, { onProgress: () => (late += Number(ended)) });
    ended = true;
    // The handler goes on telling whenever its thread turns.
    await waitFor('it to chatter on', async () => {
      await executor.submit('wait', 5);
      return heard > 3;
    });
    expect(late).toBe(0);
  });
});

describe('options that are not valid', () => {
  const shared = sharedExecutor();

  test('of submit: all of them are told, unknown ones with what was meant', async () => {
    const options = { retires: 1, signal: {}, onProgress: 1, priority: 'high', timeout: 5 } as unknown as SubmitOptions;
    const error = await rejection(shared().submit('echo', 1, options));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ code: 'ERR_INVALID_TASK' });
    expect(error['faults']).toEqual([
      { where: 'retires', problem: 'is unknown; did you mean "retries"?' },
      { where: 'signal', problem: 'must be an AbortSignal, got {}' },
      { where: 'onProgress', problem: 'must be a function, got 1' },
      { where: 'priority', problem: 'must be a whole number, got "high"' },
      { where: 'timeout', problem: expect.stringContaining('is unknown') as string },
    ]);
    expect(await rejection(shared().submit('echo', 1, null as unknown as SubmitOptions))).toMatchObject({
      code: 'ERR_INVALID_TASK',
    });
  });

  test('of map, stop and outcomes: nothing is read or stopped', async () => {
    const executor = shared();
    const map = executor.map('echo', [1], { widow: 2 } as object).next();
    expect(await rejection(map)).toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      faults: [{ where: 'widow', problem: 'is unknown; did you mean "window"?' }],
    });
    expect(await rejection(executor.stop({ forse: true } as object))).toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      faults: [{ where: 'forse', problem: 'is unknown; did you mean "force"?' }],
    });
    expect(await rejection(executor.stop({ force: 1 } as object))).toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
    const outcomes = executor.outcomes({ status: 'done', afterOrdinal: -1 } as object).next();
    expect(await rejection(outcomes)).toMatchObject({ code: 'ERR_INVALID_OPTIONS', faults: [{}, {}] });
    expect(executor.mode).toBe('running');
    expect(await executor.submit('echo', 1)).toBe(1);
  });

  test('a handler that there is none of is told with the one that was meant', async () => {
    expect(await rejection(shared().submit('ehco', 1))).toMatchObject({
      code: 'ERR_HANDLER_MISSING',
      message: 'the module exports no function "ehco"; did you mean "echo"?',
    });
  });
});

describe('events', () => {
  test('every attempt is told of as started, before its end, long ones while they run', async () => {
    const executor = await startedExecutor({ threads: 2, concurrency: 3 });
    const told: string[] = [];
    const starts: TaskStarted[] = [];
    executor.on('started', (event) => {
      starts.push(event);
      told.push(`started ${event.taskId} ${event.attempt}`);
    });
    executor.on('retrying', ({ taskId, attempt }) => told.push(`retrying ${taskId} ${attempt}`));
    executor.on('outcome', ({ id, state }) => told.push(`${state} ${id}`));
    const before = Date.now();
    await Promise.all([
      executor.submit('failTimes', 2, { id: 'fails', retries: 3 }),
      ...Array.from({ length: 300 }, (_, n) => executor.submit('echo', n, { id: `t${n}` })),
    ]);
    expect(told.filter((text) => text.endsWith('fails') || text.includes('fails '))).toEqual([
      'started fails 1',
      'retrying fails 1',
      'started fails 2',
      'retrying fails 2',
      'started fails 3',
      'done fails',
    ]);
    for (let n = 0; n < 300; n++) {
      expect(told.filter((text) => text.includes(` t${n} `) || text.endsWith(` t${n}`))).toEqual([
        `started t${n} 1`,
        `done t${n}`,
      ]);
    }
    for (const { handler, startedAt, thread } of starts) {
      expect(handler).toMatch(/^(echo|failTimes)$/);
      expect(startedAt).toBeGreaterThan(before - 1000);
      expect([1, 2]).toContain(thread);
    }
    const file = join(tempDir(), 'x');
    const long = executor.submit('untilFile', file, { id: 'long' });
    await waitFor('it to be told while it runs', () => told.includes('started long 1'));
    expect(await executor.outcome('long')).toBeUndefined();
    writeFileSync(file, '');
    await long;
    expect(told.filter((text) => text.includes('long'))).toEqual(['started long 1', 'done long']);
  });

  test('a task that takes its thread down had started, and its retry is told with why', async () => {
    const executor = await startedExecutor({ threads: 1, maxCrashes: 2 });
    const starts: string[] = [];
    const retries: TaskRetrying[] = [];
    executor.on('started', ({ taskId, attempt }) => starts.push(`${taskId} ${attempt}`));
    executor.on('retrying', (event) => retries.push(event));
    expect(await endOf(executor.submit('exit', 1, { id: 'a' }))).toBe('crashed');
    expect(starts).toEqual(['a 1', 'a 1']);
    expect(retries).toEqual([
      {
        taskId: 'a',
        handler: 'exit',
        attempt: 1,
        state: 'crashed',
        error: expect.objectContaining({ code: 'ERR_TASK_CRASHED' }) as object,
        startedAt: expect.any(Number) as number,
        durationMs: expect.any(Number) as number,
        thread: 1,
        dueAt: expect.any(Number) as number,
      },
    ]);
  });

  test('of a retry: what the attempt ended with, and when the next one is due', async () => {
    const executor = await startedExecutor({ backoff: { base: 5, max: 5 } });
    const retries: TaskRetrying[] = [];
    executor.on('retrying', (event) => retries.push(event));
    const before = Date.now();
    await executor.submit('failTimes', 1, { id: 'a', retries: 1 });
    expect(retries).toEqual([
      {
        taskId: 'a',
        handler: 'failTimes',
        attempt: 1,
        state: 'failed',
        error: expect.objectContaining({ message: 'attempt 1' }) as object,
        startedAt: expect.any(Number) as number,
        durationMs: expect.any(Number) as number,
        thread: expect.any(Number) as number,
        dueAt: expect.any(Number) as number,
      },
    ]);
    expect(retries[0]!.dueAt).toBeGreaterThanOrEqual(before);
  });

  test('progress, with the task and the thread', async () => {
    const executor = await startedExecutor({ threads: 1 });
    const told: (TaskProgressed | string)[] = [];
    executor.on('started', ({ taskId }) => told.push(`started ${taskId}`));
    executor.on('progress', (event) => told.push(event));
    const end = endOf(executor.submit('progressAndWait', 7, { id: 'a' }));
    await waitFor('it to be told', () => told.length === 2);
    expect(told).toEqual(['started a', { taskId: 'a', done: 7, total: 10, thread: 1 }]);
    await executor.cancel('a');
    await end;
  });
});
