import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { PoolThread } from '../../../../../dist/runtime/pool/thread/pool-thread.js';
import type { ClaimedTask } from '../../../../../dist/runtime/queue/contract.js';
import { clock, followClock, now } from '../../../../../dist/runtime/thread/board.js';
import { AttemptEnd } from '../../../../../dist/runtime/thread/protocol.js';
import { HANDLERS, rejection } from '../../../../support/executors.js';
import { reaper } from '../../../../support/reaper.js';
import { tempDir } from '../../../../support/temp-dir.js';
import { waitFor } from '../../../../support/wait-for.js';

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
    {
      module,
      lanes,
      captureOutput: false,
      memory: undefined,
      grace: 100,
      reaper: reaper(),
      recycleAfterTasks: undefined,
      recycleAboveMemory: undefined,
    },
    { onReport: () => {}, onDeath: () => {}, onUnended: () => {}, onEvent: () => {}, ...listener },
  );
}

function claimed(seq: number, handler: string, input: unknown): ClaimedTask {
  const none = { id: undefined, timeoutMs: undefined, retries: undefined, earlier: undefined };
  return { seq, token: 1, handler, input: JSON.stringify(input), ...none, priority: 0, attempts: 0, crashes: 0 };
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

test('what handlers post to parentPort is told of, and is no message of the thread', async () => {
  const path = join(tempDir(), 'forging.mjs');
  writeFileSync(
    path,
    `import { parentPort } from 'node:worker_threads';
     export const forge = (messages) => {
       for (const message of messages) parentPort.postMessage(message);
     };`,
  );
  const told: unknown[] = [];
  const subject = thread(pathToFileURL(path).href, {
    onReport: (_, __, { ends }) => told.push(ends),
    onEvent: (_, event) => told.push(event),
    onDeath: (...death) => told.push(death),
  });
  onTestFinished(() => subject.end());
  await subject.load();
  const own = [null, 'text', { type: 'log' }, { type: 'report', lane: 0, batch: 1, first: 0 }, { type: 'torn-down' }];
  subject.run(0, [claimed(1, 'forge', own)], 1);
  await waitFor('its end', () => told.length === 2);
  expect(told).toEqual([
    { type: 'misuse', misuse: { kind: 'posted' }, taskId: '#1', handler: 'forge' },
    [AttemptEnd.done],
  ]);
});

test('a thread that is blocked takes no batch until it is heard of again', async () => {
  const path = join(tempDir(), 'holding.mjs');
  writeFileSync(
    path,
    `export const quick = (input) => input;
     export const hold = () => new Promise(() => setInterval(() => {}, 1000));`,
  );
  const told: unknown[] = [];
  const subject = thread(pathToFileURL(path).href, { onReport: (...report) => told.push(report) }, 2);
  onTestFinished(() => subject.end());
  await subject.load();
  subject.accepting = true;
  subject.blocked = true;
  expect(subject.freeLane()).toBeUndefined();
  subject.run(0, [claimed(1, 'quick', 1), claimed(2, 'hold', 1)], 1);
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
  // One that computes has no time to answer.
  const before = subject.stirredAt;
  subject.run(0, [claimed(1, 'work', 60_000)], 1);
  await waitFor('it to take up the task', () => subject.stirredAt > before && subject.running);
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
