/** Events come at their planned instants, on a simulated clock. */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { planArrivals } from '../../../../dist/dryrun/plan/arrivals.js';
import { paced } from '../../../../dist/dryrun/plan/pace.js';
import { DEFAULT_PLAN } from '../../../../dist/dryrun/plan/plan.js';
import { generateEvents, type GenerateOptions } from '../../../../dist/index.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Given {
  at: number;
  when: number;
}

/** Takes what is planned, each with the time at which it came; `slow` is how long it takes after each batch. */
function taken(planned: readonly number[], { slow = 0, signal }: { slow?: number; signal?: AbortSignal } = {}) {
  const given: Given[] = [];
  const batches: number[] = [];
  const start = performance.now();
  const finished = (async () => {
    for await (const due of paced(
      planned.map((at) => ({ at })),
      { signal },
    )) {
      batches.push(due.length);
      for (const { at } of due) given.push({ at, when: performance.now() - start });
      if (slow > 0) await new Promise((resolve) => setTimeout(resolve, slow));
    }
  })();
  return { given, batches, finished };
}

const evenly = (count: number, gap: number) => Array.from({ length: count }, (_, n) => n * gap);

describe('what is planned', () => {
  test('comes when it is due, never before, and less than two milliseconds after', async () => {
    const planned = [...planArrivals({ ...DEFAULT_PLAN, pattern: 'random', rate: 300, count: 500 })].map(
      ({ at }) => at,
    );
    const { given, finished } = taken(planned);
    await vi.runAllTimersAsync();
    await finished;
    expect(given.map(({ at }) => at)).toEqual(planned);
    for (const { at, when } of given) {
      expect(when).toBeGreaterThanOrEqual(at);
      expect(when).toBeLessThan(at + 2);
    }
  });

  test('never drifts: the last of thousands is no later than the first', async () => {
    const { given, finished } = taken(evenly(4_000, 3.7));
    await vi.runAllTimersAsync();
    await finished;
    expect(given.at(-1)!.when - given.at(-1)!.at).toBeLessThan(2);
  });

  test('comes together where it is planned together', async () => {
    const { batches, finished } = taken([0, 0, 0, 10, 10, 25]);
    await vi.runAllTimersAsync();
    await finished;
    expect(batches).toEqual([3, 2, 1]);
  });

  test('is all given to one who is slow, at once when he is back: arrivals do not wait for the system', async () => {
    const { given, batches, finished } = taken(evenly(100, 1), { slow: 40 });
    await vi.runAllTimersAsync();
    await finished;
    expect(given.map(({ at }) => at)).toEqual(evenly(100, 1));
    // One at the start, then whatever became due while it was busy.
    expect(batches[0]).toBe(1);
    expect(batches.length).toBeLessThan(6);
    expect(Math.max(...batches)).toBeGreaterThanOrEqual(40);
  });

  test('comes in portions where very much is late, and the event loop turns in between', async () => {
    vi.useRealTimers();
    let turns = 0;
    const turn = () => {
      turns++;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    const batches: { size: number; turn: number }[] = [];
    for await (const due of paced(evenly(5_000, 0).map((at) => ({ at }))))
      batches.push({ size: due.length, turn: turns });
    clearImmediate(timer);
    expect(batches.map(({ size }) => size)).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(new Set(batches.map(({ turn }) => turn)).size).toBe(5);
  });

  test('may be further away than a timer reaches', async () => {
    const far = 2 ** 31 + 5_000;
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const { given, finished } = taken([far]);
    await vi.advanceTimersByTimeAsync(2 ** 31);
    expect(given).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    await finished;
    expect(given).toHaveLength(1);
    // What is more fires at once, with a warning.
    for (const [, ms] of timers.mock.calls) expect(ms).toBeLessThan(2 ** 31);
  });
});

describe('an abort', () => {
  test('ends it at once, while it waits', async () => {
    const abort = new AbortController();
    const { given, finished } = taken([0, 60_000], { signal: abort.signal });
    await vi.advanceTimersByTimeAsync(10);
    abort.abort();
    await finished;
    expect(given).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is listened for by no more than the one wait there is', async () => {
    const { signal } = new AbortController();
    const { given, finished } = taken(evenly(50, 10), { signal });
    await vi.advanceTimersByTimeAsync(455);
    expect(given.length).toBeGreaterThan(40);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await vi.runAllTimersAsync();
    await finished;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('before the start leaves nothing to come', async () => {
    const { given, finished } = taken([0, 1], { signal: AbortSignal.abort() });
    await finished;
    expect(given).toEqual([]);
  });
});

/** Takes events until the loop ends; `onEvent` may break it. */
function collected(options: GenerateOptions, onEvent: (n: number) => boolean | void = () => {}) {
  const ids: string[] = [];
  const finished = (async () => {
    for await (const { eventId } of generateEvents(options)) {
      ids.push(eventId);
      if (onEvent(ids.length) === true) break;
    }
  })();
  return { ids, finished };
}

describe('generateEvents', () => {
  test('paces by default, one a second, and goes on without end', async () => {
    const abort = new AbortController();
    const { ids, finished } = collected({ signal: abort.signal });
    await vi.advanceTimersByTimeAsync(3_500);
    expect(ids).toEqual(['trade_1', 'order_1', 'position_1', 'trade_2']);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(ids).toHaveLength(3_604);
    abort.abort();
    await finished;
  });

  test.each([true, false])(
    'ends at once on abort, in the middle of what is due, and throws nothing (paced: %s)',
    async (paced) => {
      const abort = new AbortController();
      const { ids, finished } = collected({ pattern: 'burst', burstSize: 100, paced, signal: abort.signal }, (n) => {
        if (n === 7) abort.abort();
      });
      await vi.runAllTimersAsync();
      await finished;
      expect(ids).toHaveLength(7);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test('ends at once when it is closed, also while it waits for the next event', async () => {
    const events = generateEvents({ rate: 0.001 });
    await events.next();
    const waiting = events.next();
    await vi.advanceTimersByTimeAsync(10);
    expect(await events.return()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('leaves no timer behind a loop that was left', async () => {
    const { ids, finished } = collected({ rate: 100 }, (n) => n === 5);
    await vi.advanceTimersByTimeAsync(1_000);
    await finished;
    expect(ids).toHaveLength(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('lets the event loop turn also where it does not pace: an abort from outside comes through', async () => {
    const abort = new AbortController();
    const { ids, finished } = collected({ paced: false, signal: abort.signal });
    setImmediate(() => setImmediate(() => abort.abort()));
    await vi.advanceTimersByTimeAsync(1);
    await finished;
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThan(100_000);
  });

  test('gives the same events paced and not', async () => {
    const options = { pattern: 'random', rate: 1_000, count: 1_234, seed: 5 } as const;
    const paced: unknown[] = [];
    const finished = (async () => {
      for await (const event of generateEvents(options)) paced.push(event);
    })();
    await vi.runAllTimersAsync();
    await finished;
    const unpaced: unknown[] = [];
    vi.useRealTimers();
    for await (const event of generateEvents({ ...options, paced: false })) unpaced.push(event);
    expect(unpaced).toHaveLength(1_234);
    expect(paced).toEqual(unpaced);
  });
});
