import { describe, expect, test, vi } from 'vitest';
import { TaskError } from '../../../dist/index.js';
import { HoldfastError } from '../../../dist/base/errors.js';
import { openMemoryQueue } from '../../../dist/runtime/queue/memory/memory-queue.js';
import type { ClaimedTask, TaskQueue } from '../../../dist/runtime/queue/contract.js';
import { Submissions } from '../../../dist/runtime/submissions.js';
import { endOf, rejection } from '../../support/executors.js';
import { aTask, done, tasks } from '../../support/queue-tasks.js';

const STOPPED = new HoldfastError('ERR_EXECUTOR_STOPPED', 'stopped');

function submissions(queue: TaskQueue = openMemoryQueue()) {
  return { queue, submissions: new Submissions(queue) };
}

/** What lets every microtask, and what they start, come to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Claims and settles all, as the dispatcher would, and tells the submissions. */
async function runAll(queue: TaskQueue, to: Submissions, fields = {}): Promise<ClaimedTask[]> {
  const claimed = await queue.claim(10_000, Date.now());
  const settlements = claimed.map((task) => done(task, { result: task.input, ...fields }));
  await queue.settle(settlements);
  claimed.forEach((task, index) => to.settle(task, settlements[index]!));
  return claimed;
}

test('what is submitted in one tick is added in one call', async () => {
  const { queue, submissions: subject } = submissions();
  const add = vi.spyOn(queue, 'add');
  const results = tasks(3).map((task) => subject.resultOf(task));
  expect(subject.pending).toBe(3);
  expect(add).not.toHaveBeenCalled();
  await settled();
  expect(add).toHaveBeenCalledTimes(1);
  expect(subject.pending).toBe(0);
  await runAll(queue, subject);
  expect(await Promise.all(results)).toEqual([0, 1, 2]);
});

test('very many are added in chunks, between which others get their turn, and are pending until they are added', async () => {
  const { queue, submissions: subject } = submissions();
  const sizes: number[] = [];
  const { add } = queue;
  queue.add = (added) => {
    sizes.push(added.length);
    return add.call(queue, added);
  };
  const results = Promise.all(tasks(2500).map((task) => subject.resultOf(task)));
  await settled();
  expect(sizes).toEqual([1000]);
  expect(subject.pending).toBe(1500);
  await settled();
  expect([sizes, subject.pending]).toEqual([[1000, 1000], 500]);
  await settled();
  // The last is no longer pending when its outcomes can be there.
  expect([sizes, subject.pending]).toEqual([[1000, 1000, 500], 0]);
  await runAll(queue, subject);
  expect(await results).toHaveLength(2500);
});

test('each waits for its own: one gets the result, one the outcome, one the error', async () => {
  const { queue, submissions: subject } = submissions();
  const result = subject.resultOf(aTask({ input: '"r"' }));
  const outcome = subject.outcomeOf(aTask({ id: 'o', input: '"o"' }));
  await settled();
  await runAll(queue, subject);
  expect(await result).toBe('r');
  expect(await outcome).toMatchObject({ id: 'o', state: 'done', result: '"o"' });

  const failed = rejection(subject.resultOf(aTask({ id: 'f' })));
  const failedOutcome = subject.outcomeOf(aTask());
  await settled();
  await runAll(queue, subject, { state: 'failed', result: undefined, error: { name: 'E', message: 'no' } });
  expect(await failed).toBeInstanceOf(TaskError);
  expect(await failedOutcome).toMatchObject({ state: 'failed', error: { message: 'no' } });
});

test('bytes are decoded as text is, and no result at all is undefined', async () => {
  const { queue, submissions: subject } = submissions();
  const { serialize } = await import('node:v8');
  const results = [new Map([[1, 2]]), undefined].map((value) =>
    subject.resultOf(aTask({ input: value === undefined ? 'undefined' : serialize(value) })),
  );
  await settled();
  const [first, second] = await queue.claim(2, Date.now());
  subject.settle(first!, done(first!, { result: first!.input }));
  subject.settle(second!, done(second!, { result: undefined }));
  expect(await Promise.all(results)).toEqual([new Map([[1, 2]]), undefined]);
});

test('a result that cannot be read here rejects for who wants it, and harms no other waiter', async () => {
  const { queue, submissions: subject } = submissions();
  const task = aTask({ id: 'same' });
  const [result, outcome] = [subject.resultOf(task), subject.outcomeOf(task)];
  await settled();
  const [claimed] = await queue.claim(1, Date.now());
  subject.settle(claimed!, done(claimed!, { result: new Uint8Array([1, 2, 3]) }));
  expect(await rejection(result)).toMatchObject({ code: 'ERR_VALUE_NOT_CLONEABLE' });
  expect(await outcome).toMatchObject({ state: 'done' });
});

describe('the same id', () => {
  test('waited for by several, tells all of them', async () => {
    const { queue, submissions: subject } = submissions();
    const task = aTask({ id: 'same', input: '5' });
    const all = [subject.resultOf(task), subject.resultOf(task), subject.resultOf(task)];
    await settled();
    expect(await runAll(queue, subject)).toHaveLength(1);
    expect(await Promise.all(all)).toEqual([5, 5, 5]);
    // It has its outcome by now.
    expect(await subject.resultOf(task)).toBe(5);
  });

  test('with another input is refused, and the first is not touched', async () => {
    const { queue, submissions: subject } = submissions();
    const first = subject.resultOf(aTask({ id: 'same', input: '5' }));
    expect(await endOf(subject.resultOf(aTask({ id: 'same', input: '6' })))).toBe('ERR_TASK_CONFLICT');
    await runAll(queue, subject);
    expect(await first).toBe(5);
  });

  test('whose outcome cannot be looked up rejects', async () => {
    const { queue, submissions: subject } = submissions();
    const task = aTask({ id: 'same' });
    const first = endOf(subject.resultOf(task));
    await settled();
    queue.outcome = () => Promise.reject(STOPPED);
    expect(await endOf(subject.resultOf(task))).toBe('ERR_EXECUTOR_STOPPED');
    expect(await first).toBe('ERR_EXECUTOR_STOPPED');
    // And when somebody else was told in between, nobody is left to reject.
    await runAll(queue, subject);
    subject.outcomeOf(task).catch(() => {});
    await settled();
  });
});

describe('a queue that refuses', () => {
  test('rejects all of the call, with its own words', async () => {
    const { queue, submissions: subject } = submissions();
    const full = new HoldfastError('ERR_QUEUE_DISK_FULL', 'full');
    queue.add = () => Promise.reject(full);
    const all = tasks(3).map((task) => rejection(subject.resultOf(task)));
    expect(await Promise.all(all)).toEqual([full, full, full]);
    expect(subject.pending).toBe(0);
  });
});

describe('closed', () => {
  test('before the tick was over, nothing is added', async () => {
    const { queue, submissions: subject } = submissions();
    const add = vi.spyOn(queue, 'add');
    const waiting = rejection(subject.resultOf(aTask()));
    subject.close(STOPPED);
    expect(await waiting).toBe(STOPPED);
    await settled();
    expect(add).not.toHaveBeenCalled();
    expect(await rejection(subject.resultOf(aTask()))).toBe(STOPPED);
    expect(await rejection(subject.add([aTask()]))).toBe(STOPPED);
  });

  test('between two chunks, the rest is not added', async () => {
    const { queue, submissions: subject } = submissions();
    const all = tasks(1500).map((task) => endOf(subject.resultOf(task)));
    await settled();
    subject.close(STOPPED);
    await settled();
    subject.abandon(STOPPED);
    expect(new Set(await Promise.all(all))).toEqual(new Set(['ERR_EXECUTOR_STOPPED']));
    expect(await queue.counts()).toMatchObject({ queued: 1000 });
    expect(subject.pending).toBe(0);
  });

  test('those who wait for what is running may still be told; abandoned, they are rejected', async () => {
    const { queue, submissions: subject } = submissions();
    const [told, left] = tasks(2, {}).map((task) => endOf(subject.resultOf(task)));
    await settled();
    subject.close(STOPPED);
    const [first] = await queue.claim(1, Date.now());
    subject.settle(first!, done(first!, { result: '"in time"' }));
    expect(await told).toBe('in time');
    subject.abandon(new HoldfastError('ERR_LOCK_LOST', 'a second reason'));
    expect(await left).toBe('ERR_LOCK_LOST');
    // Whoever comes later hears the first reason.
    expect(await rejection(subject.resultOf(aTask()))).toBe(STOPPED);
  });

  test('while tasks were being added, nobody begins to wait for them', async () => {
    const { queue, submissions: subject } = submissions();
    const waiting = endOf(subject.resultOf(aTask()));
    const { add } = queue;
    queue.add = (added) => {
      subject.close(STOPPED);
      return add.call(queue, added);
    };
    expect(await waiting).toBe('ERR_EXECUTOR_STOPPED');
    expect(await queue.counts()).toMatchObject({ queued: 1 });
  });
});

test('an outcome that nobody waits for is nobody’s', async () => {
  const { queue, submissions: subject } = submissions();
  await subject.add(tasks(1));
  expect(await runAll(queue, subject)).toHaveLength(1);
  subject.deliver(99, { id: 'x' } as never);
});
