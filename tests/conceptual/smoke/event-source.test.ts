import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { defaultEvents } from '../../../dist/smoke/default-events.js';
import { MAX_EVENTS, takeEvents, type EventSource } from '../../../dist/smoke/event-source.js';
import type { DryRunEvent } from '../../../dist/dryrun/events/event-set.js';
import { consume } from '../../../dist/dryrun/handler.js';
import { deferred } from '../../support/deferred.js';
import { runs } from '../../support/runs.js';

/** What lets every microtask, and what they start, come to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function taking(source: EventSource) {
  const controller = new AbortController();
  const events: unknown[] = [];
  const ended = takeEvents(source, controller.signal, (event) => events.push(event));
  return { controller, events, ended };
}

test('every event of a source is taken, in its order, up to a hundred', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.anything(), { maxLength: 130 }), fc.boolean(), async (list, slow) => {
      const source = slow
        ? async function* () {
            for (const one of list) {
              await Promise.resolve();
              yield one;
            }
          }
        : () => list;
      const { events, ended } = taking(source);
      await ended;
      expect(events).toEqual(list.slice(0, MAX_EVENTS));
    }),
    { numRuns: runs(50) },
  );
});

test('a source without an end is closed once there are enough', async () => {
  let closed = false;
  const { events, ended } = taking(function* () {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      closed = true;
    }
  });
  await ended;
  expect(events).toHaveLength(MAX_EVENTS);
  expect(closed).toBe(true);
});

test('the abort ends a source that listens to it, and closes one that waits', async () => {
  const returned = vi.fn(() => Promise.resolve({ done: true as const, value: undefined }));
  const { controller, events, ended } = taking((signal) => {
    let first = true;
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const value = { done: false as const, value: 'event' };
          if (!first) return new Promise((resolve) => signal.addEventListener('abort', () => resolve(value)));
          first = false;
          return Promise.resolve(value);
        },
        return: returned,
      }),
    };
  });
  await settled();
  controller.abort();
  await ended;
  // What it gave when it was told to end is not taken any more.
  expect(events).toEqual(['event']);
  expect(returned).toHaveBeenCalledTimes(1);
});

test('a source that ignores the abort holds nobody up', async () => {
  const never = deferred();
  const { controller, ended } = taking(async function* () {
    await never.promise;
    yield 1;
  });
  await settled();
  controller.abort();
  await ended;
  never.resolve();
});

test('nothing is taken once the signal is aborted, though the source has more', async () => {
  const controller = new AbortController();
  const events: unknown[] = [];
  await takeEvents(
    () => [1, 2, 3],
    controller.signal,
    (event) => {
      events.push(event);
      if (event === 2) controller.abort();
    },
  );
  expect(events).toEqual([1, 2]);
});

test('what a source throws is told; not so after the abort', async () => {
  const failing = taking(async function* () {
    yield 1;
    throw new Error('no broker');
  });
  await expect(failing.ended).rejects.toThrow('no broker');

  const late = deferred<never>();
  const aborted = taking(async function* () {
    yield await late.promise;
  });
  await settled();
  aborted.controller.abort();
  await aborted.ended;
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  late.reject(new Error('too late'));
  await settled();
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test.each([
  [
    'throws',
    () => {
      throw new Error('cannot close');
    },
  ],
  ['rejects', () => Promise.reject(new Error('cannot close'))],
])('a source whose closing %s holds nobody up', async (_, close) => {
  const { controller, ended } = taking(() => ({
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: close as never }),
  }));
  await settled();
  controller.abort();
  await ended;
});

test.each([[undefined], [null], [5], [{}]])('%j is no source of events', async (value) => {
  await expect(taking(() => value as never).ended).rejects.toThrow('nothing that can be iterated over');
});

test('the built-in events are two of each type, and the built-in handler takes each of them', () => {
  const events = [...defaultEvents()] as DryRunEvent[];
  expect(events.map(({ type }) => type).toSorted()).toEqual([
    ...['order', 'order', 'position', 'position', 'trade', 'trade'],
  ]);
  expect(new Set(events.map((event) => consume(event).eventId)).size).toBe(events.length);
});
