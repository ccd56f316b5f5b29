import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Pool } from '../../../../../dist/runtime/pool/pool.js';
import { RollCall } from '../../../../../dist/runtime/pool/watch/roll-call.js';
import { now } from '../../../../../dist/runtime/thread/board.js';

const STALL_AFTER = 30_000;

/** A thread as its pool shows it: what it answers, and when, is the test's to say. */
class Thread {
  loaded = true;
  dead = false;
  busy = false;
  stirredAt = 0;
  silentMs = 0;
  pings = 0;
  readonly number: number;
  readonly answersAfterMs: number | undefined;

  constructor(number: number, answersAfterMs: number | undefined, state: Partial<Thread> = {}) {
    this.number = number;
    this.answersAfterMs = answersAfterMs;
    Object.assign(this, state);
  }

  /** `undefined`: never. */
  ping(): Promise<boolean> {
    this.pings++;
    return new Promise((resolve) => {
      if (this.answersAfterMs !== undefined) setTimeout(() => resolve(!this.dead), this.answersAfterMs);
    });
  }
}

function called(threads: Thread[]) {
  const pool = { threads };
  const rollCall = new RollCall(pool as unknown as Pool, { stallAfter: STALL_AFTER });
  return {
    pool,
    call: async () => {
      const result = rollCall.call(1000);
      await vi.advanceTimersByTimeAsync(1000);
      return result;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an idle thread', () => {
  test('is asked, and is present when it answers in time', async () => {
    const threads = [new Thread(1, 0), new Thread(2, 999)];
    expect(await called(threads).call()).toEqual({ present: [1, 2], missing: [] });
    expect(threads.map(({ pings }) => pings)).toEqual([1, 1]);
  });

  test('that does not answer is missing, and the others are not', async () => {
    const { call } = called([new Thread(1, undefined), new Thread(2, 1)]);
    expect(await call()).toEqual({ present: [2], missing: [{ thread: 1, silentMs: null }] });
  });

  test('that dies, or is taken out, while it is waited for is not missing: the one in its place is asked the next time', async () => {
    const dying = new Thread(1, undefined);
    const retired = new Thread(2, undefined);
    const { pool, call } = called([dying, retired]);
    setTimeout(() => {
      dying.dead = true;
      pool.threads = [dying, new Thread(2, undefined, { loaded: false })];
    }, 500);
    expect(await call()).toEqual({ present: [], missing: [] });
    pool.threads = [new Thread(1, 0), new Thread(2, undefined)];
    expect(await call()).toEqual({ present: [1], missing: [{ thread: 2, silentMs: null }] });
  });

  test('that gets a task before it could answer has shown that it turns', async () => {
    const thread = new Thread(1, undefined);
    const { call } = called([thread]);
    setTimeout(() => Object.assign(thread, { busy: true, stirredAt: now() }), 500);
    expect(await call()).toEqual({ present: [1], missing: [] });
  });

  test('that was sent a task, and has taken up neither that nor the question, is given the time of a task', async () => {
    const thread = new Thread(1, undefined);
    const { call } = called([thread]);
    setTimeout(() => Object.assign(thread, { busy: true, silentMs: 500 }), 500);
    expect(await call()).toEqual({ present: [], missing: [] });
    thread.silentMs = STALL_AFTER + 1;
    expect(await call()).toEqual({ present: [], missing: [{ thread: 1, silentMs: STALL_AFTER + 1 }] });
  });
});

describe('a busy thread', () => {
  test('is not asked: its board shows that it has turned since the last time', async () => {
    const thread = new Thread(1, undefined, { busy: true, stirredAt: now() });
    const { call } = called([thread]);
    expect(await call()).toEqual({ present: [1], missing: [] });
    // Nothing since.
    expect(await call()).toEqual({ present: [], missing: [] });
    thread.stirredAt = now();
    expect(await call()).toEqual({ present: [1], missing: [] });
    expect(thread.pings).toBe(0);
  });

  test('may be silent for as long as a task may be, and no longer', async () => {
    const thread = new Thread(1, undefined, { busy: true, silentMs: STALL_AFTER });
    const { call } = called([thread]);
    expect(await call()).toEqual({ present: [], missing: [] });
    thread.silentMs++;
    expect(await call()).toEqual({ present: [], missing: [{ thread: 1, silentMs: STALL_AFTER + 1 }] });
  });
});

test('threads that load, or are dead, are not asked for', async () => {
  const threads = [new Thread(1, undefined, { loaded: false }), new Thread(2, undefined, { dead: true })];
  expect(await called(threads).call()).toEqual({ present: [], missing: [] });
  expect(threads.map(({ pings }) => pings)).toEqual([0, 0]);
});

test('answers that came while the event loop stood still count, though the deadline is over when it turns again', async () => {
  vi.useRealTimers();
  const { port1, port2 } = new MessageChannel();
  const thread = new Thread(1, undefined);
  thread.ping = () =>
    new Promise((resolve) => {
      port1.once('message', () => resolve(true));
    });
  const rollCall = new RollCall({ threads: [thread] } as unknown as Pool, { stallAfter: STALL_AFTER });
  const result = rollCall.call(20);
  port2.postMessage('here');
  const until = performance.now() + 60;
  while (performance.now() < until);
  expect(await result).toEqual({ present: [1], missing: [] });
  port1.close();
});
