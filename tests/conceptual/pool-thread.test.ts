import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { PoolThread } from '../../dist/runtime/pool/pool-thread.js';
import type { ClaimedTask } from '../../dist/runtime/queue/contract.js';
import { clock, followClock, now } from '../../dist/runtime/thread/board.js';
import { HANDLERS, rejection } from '../support/executors.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

afterEach(() => {
  vi.useRealTimers();
});

function thread(
  module: string,
  listener: Partial<ConstructorParameters<typeof PoolThread>[2]> = {},
  lanes = 1,
): PoolThread {
  return new PoolThread(
    1,
    { module, lanes, captureOutput: false, memory: undefined, recycleAfterTasks: undefined },
    { onReport: () => {}, onDeath: () => {}, onUnended: () => {}, onEvent: () => {}, ...listener },
  );
}

function claimed(seq: number, handler: string, input: unknown): ClaimedTask {
  const none = { id: undefined, timeoutMs: undefined, retries: undefined, earlier: undefined };
  return { seq, handler, input: JSON.stringify(input), ...none, priority: 0, attempts: 0, crashes: 0 };
}

test.each([
  ['awaits for ever', 'await new Promise(() => {});'],
  ['spins for ever', 'for (;;);'],
])('a module that %s is given up after a minute, and its thread with it', async (_, text) => {
  const path = join(tempDir(), 'endless.mjs');
  writeFileSync(path, text);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const subject = thread(pathToFileURL(path).href);
  const loading = rejection(subject.load());
  vi.advanceTimersByTime(59_999);
  expect(subject.dead).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await loading).toMatchObject({
    code: 'ERR_HANDLER_MODULE',
    message: `cannot load ${path}: it has not loaded within 60 s`,
  });
  expect(subject.dead).toBe(true);
});

test('a thread may be ended at any instant while it loads: it takes nothing else with it', async () => {
  for (let ms = 0; ms < 50; ms += 2) {
    const subject = thread(pathToFileURL(HANDLERS).href);
    const loading = subject.load().catch(() => {});
    const instant = performance.now() + ms;
    await waitFor('that instant', () => performance.now() > instant);
    await subject.end();
    await loading;
  }
});

/** A module whose one handler posts what it is told to, in the place of its lane, and then never ends. */
const FORGING = `
  import { parentPort } from 'node:worker_threads';
  export const forge = (messages) => {
    for (const message of messages) parentPort.postMessage(message);
    return new Promise(() => setInterval(() => {}, 1000));
  };`;

test('reports that overtake each other are told in order, each once; what is of another batch is not', async () => {
  const path = join(tempDir(), 'forging.mjs');
  writeFileSync(path, FORGING);
  const told: [first: number, count: number, last: boolean][] = [];
  const subject = thread(pathToFileURL(path).href, {
    onReport: (_, __, { first, ends }, last) => told.push([first, ends.length, last]),
  });
  onTestFinished(() => subject.end());
  await subject.load();
  const report = (first: number, count: number, fields: object = {}) => {
    const none = Array.from({ length: count }, () => 0);
    const of = {
      type: 'report',
      lane: 0,
      batch: 1,
      first,
      ends: none,
      payloads: none,
      startedAt: none,
      durationMs: none,
    };
    return { holdfast: { ...of, ...fields } };
  };
  const messages = [
    report(4, 2, { heapUsed: 1 }),
    report(2, 2),
    report(0, 1, { batch: 7 }),
    report(0, 2),
    // It is over: nothing of it counts any more.
    report(0, 2),
  ];
  const rest = Array.from({ length: 5 }, (_, index) => claimed(index + 2, 'forge', []));
  subject.run(0, [claimed(1, 'forge', messages), ...rest], 1);
  await waitFor('the last report', () => told.length === 3);
  expect(told).toEqual([
    [0, 2, false],
    [2, 2, false],
    [4, 2, true],
  ]);
  expect(subject).toMatchObject({ tasksDone: 6, heapUsed: 1, busy: false });
  expect(subject.freeLane()).toBeUndefined();
  subject.accepting = true;
  expect(subject.freeLane()).toBe(0);
});

test('messages that handlers post of their own disturb nobody', async () => {
  const path = join(tempDir(), 'forging.mjs');
  writeFileSync(path, FORGING);
  const told: unknown[] = [];
  const subject = thread(pathToFileURL(path).href, {
    onReport: (...report) => told.push(report),
    onEvent: (_, event) => told.push(event),
    onDeath: (...death) => told.push(death),
  });
  onTestFinished(() => subject.end());
  await subject.load();
  const own = [null, 'text', 7, { type: 'log' }, { type: 'report', lane: 0, batch: 1, first: 0 }, [], { done: true }];
  const ours = { type: 'progress', lane: 0, taskId: '#1', done: 1 };
  subject.run(0, [claimed(1, 'forge', [...own, { holdfast: ours }])], 1);
  await waitFor('the last message', () => told.length > 0);
  expect(told).toEqual([ours]);
});

test('a thread that is blocked takes no batch until it is heard of again', async () => {
  const path = join(tempDir(), 'forging.mjs');
  writeFileSync(path, FORGING);
  const told: unknown[] = [];
  const subject = thread(pathToFileURL(path).href, { onReport: (...report) => told.push(report) }, 2);
  onTestFinished(() => subject.end());
  await subject.load();
  subject.accepting = true;
  const report = {
    type: 'report',
    lane: 0,
    batch: 1,
    first: 0,
    ends: [0],
    payloads: [0],
    startedAt: [0],
    durationMs: [0],
  };
  const tasks = [claimed(1, 'forge', [{ holdfast: report }]), claimed(2, 'forge', [])];
  subject.blocked = true;
  expect(subject.freeLane()).toBeUndefined();
  subject.run(0, tasks, 1);
  await waitFor('the report', () => told.length > 0);
  expect(subject.freeLane()).toBe(1);
});

test('a thread follows the clock of the main thread, whatever the clock of the system did since', async () => {
  const real = clock();
  onTestFinished(() => followClock(real));
  followClock(real + 3_600_000);
  const started: number[] = [];
  const subject = thread(pathToFileURL(HANDLERS).href, {
    onReport: (_, __, { startedAt }) => started.push(...startedAt),
  });
  onTestFinished(() => subject.end());
  await subject.load();
  const before = now();
  subject.run(0, [claimed(1, 'echo', 1)], 1);
  await waitFor('its end', () => started.length > 0);
  expect(started[0]).toBeGreaterThan(before - 0.1);
  expect(started[0]).toBeLessThan(now() + 0.1);
});

test('a thread is asked one thing at a time whether it answers; once it is gone, it does not', async () => {
  const died: string[] = [];
  const subject = thread(pathToFileURL(HANDLERS).href, { onDeath: (_, { message }) => died.push(message) });
  await subject.load();
  const first = subject.ping();
  expect(subject.ping()).toBe(first);
  expect(await first).toBe(true);
  const second = subject.ping();
  expect(second).not.toBe(first);
  await subject.end();
  expect(await second).toBe(false);
  // It was ended: nobody died.
  expect(died).toEqual([]);
});

test('a thread without work is not silent, and one with work is since it got that, or stirred', async () => {
  const subject = thread(pathToFileURL(HANDLERS).href);
  onTestFinished(() => subject.end());
  await subject.load();
  expect(subject.silentMs).toBe(0);
  const sent = performance.now();
  const before = subject.stirredAt;
  subject.run(0, [claimed(1, 'work', 300)], 1);
  await waitFor('it to take up the task', () => subject.stirredAt > before);
  await waitFor('it to be silent', () => subject.silentMs > 50);
  expect(subject.silentMs).toBeLessThanOrEqual(performance.now() - sent);
  await waitFor('its end', () => !subject.busy);
  expect(subject.silentMs).toBe(0);
});
