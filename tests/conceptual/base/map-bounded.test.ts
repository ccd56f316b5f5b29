import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapBounded } from '../../../dist/base/map-bounded.js';
import { deferred } from '../../support/deferred.js';
import { runs } from '../../support/runs.js';
import { waitFor } from '../../support/wait-for.js';

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** What lets every microtask, and what they start, come to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('results come in the order of the inputs, whatever order the runs end in, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.integer(), { maxLength: 30 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      async (scheduler, inputs, window, slowSource) => {
        async function* source() {
          for (const input of inputs) {
            await scheduler.schedule(Promise.resolve(), 'source');
            yield input;
          }
        }
        const run = (input: number) => scheduler.schedule(Promise.resolve(input * 2), 'run');
        const results = collect(mapBounded(slowSource ? source() : inputs, run, window));
        await scheduler.waitFor(results);
        expect(await results).toEqual(inputs.map((input) => input * 2));
      },
    ),
    { numRuns: runs(150) },
  );
});

test('no more than the window is read and not yet yielded, at any instant', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      async (scheduler, count, window, async) => {
        let read = 0;
        let yielded = 0;
        let most = 0;
        const see = () => (most = Math.max(most, read - yielded));
        function* numbers() {
          for (; read < count;) {
            read++;
            see();
            yield read;
          }
        }
        async function* later() {
          for (const number of numbers()) {
            yield number;
            await scheduler.schedule(Promise.resolve(), 'source');
          }
        }
        const all = (async () => {
          const run = () => scheduler.schedule(Promise.resolve(), 'run');
          for await (const _ of mapBounded(async ? later() : numbers(), run, window)) {
            // A consumer that takes its time: the one it holds was yielded, not before it asks for the next.
            await scheduler.schedule(Promise.resolve(), 'consumer');
            yielded++;
          }
        })();
        await scheduler.waitFor(all);
        expect(yielded).toBe(count);
        expect(most).toBeLessThanOrEqual(window);
        if (!async && count >= window) expect(most).toBe(window);
      },
    ),
    { numRuns: runs(150) },
  );
});

test('a million inputs that are made as they are read are never more than the window ahead', async () => {
  let read = 0;
  let yielded = 0;
  let most = 0;
  function* million() {
    while (read < 1_000_000) yield ++read;
  }
  for await (const _ of mapBounded(million(), async (input) => input, 1000)) {
    yielded++;
    most = Math.max(most, read - yielded);
  }
  expect(yielded).toBe(1_000_000);
  expect(most).toBeLessThanOrEqual(1000);
});

test('results that are ready are not kept back by a source that is slow', async () => {
  const more = deferred();
  async function* source() {
    yield 1;
    yield 2;
    await more.promise;
    yield 3;
  }
  const results = mapBounded(source(), async (input) => input, 10);
  expect(await results.next()).toEqual({ done: false, value: 1 });
  expect(await results.next()).toEqual({ done: false, value: 2 });
  const third = results.next();
  more.resolve();
  expect(await third).toEqual({ done: false, value: 3 });
  expect((await results.next()).done).toBe(true);
});

test('while the first result is awaited, the source is read on', async () => {
  const first = deferred<number>();
  const started: number[] = [];
  async function* source() {
    yield* [1, 2, 3];
  }
  const run = (input: number) => {
    started.push(input);
    return input === 1 ? first.promise : Promise.resolve(input);
  };
  const results = collect(mapBounded(source(), run, 10));
  await waitFor('all to be started', () => started.length === 3);
  first.resolve(1);
  expect(await results).toEqual([1, 2, 3]);
});

test('leaving the loop early closes the source and reads no more of it', async () => {
  let read = 0;
  let closed = 0;
  function* source() {
    try {
      for (;;) yield ++read;
    } finally {
      closed++;
    }
  }
  for await (const result of mapBounded(source(), async (input) => input, 5)) if (result === 3) break;
  const readAtBreak = read;
  await settled();
  expect({ closed, more: read - readAtBreak }).toEqual({ closed: 1, more: 0 });
});

test('leaving the loop early does not wait for an input that may never come, and closes the source after it', async () => {
  const more = deferred();
  let closed = false;
  async function* source() {
    try {
      yield 1;
      await more.promise;
      yield 2;
    } finally {
      closed = true;
    }
  }
  for await (const _ of mapBounded(source(), async (input) => input, 5)) break;
  more.resolve();
  await waitFor('the source to be closed', () => closed);
});

test('a source that fails to close fails the loop, but not once the loop has been left without it', async () => {
  const failing = (next: () => Promise<IteratorResult<number>>) => ({
    [Symbol.asyncIterator]: () => ({ next, return: () => Promise.reject(new Error('cannot close')) }),
  });
  const idle = mapBounded(
    failing(async () => ({ done: false, value: 1 })),
    async (input) => input,
    1,
  );
  await idle.next();
  await expect(idle.return()).rejects.toThrow('cannot close');

  let calls = 0;
  const owing = failing(() => (calls++ === 0 ? Promise.resolve({ done: false, value: 1 }) : new Promise(() => {})));
  const results = mapBounded(owing, async (input) => input, 2);
  await results.next();
  expect(await results.return()).toEqual({ done: true, value: undefined });
});

test('a run that rejects ends the iteration in its turn, after the results before it', async () => {
  const results: number[] = [];
  const run = (input: number) => (input === 3 ? Promise.reject(new Error('third')) : Promise.resolve(input));
  const loop = async () => {
    for await (const result of mapBounded([1, 2, 3, 4, 5], run, 5)) {
      results.push(result);
      // Rejections that wait for their turn must not count as unhandled.
      await settled();
    }
  };
  await expect(loop()).rejects.toThrow('third');
  expect(results).toEqual([1, 2]);
});

test('a source that fails ends the iteration with its error, and is not asked to close', async () => {
  let closed = false;
  let calls = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (++calls === 2) throw new Error('source');
        return { done: false, value: calls };
      },
      return: async () => {
        closed = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
  await expect(collect(mapBounded(source, async (input) => input, 5))).rejects.toThrow('source');
  expect(closed).toBe(false);
});

test('a source that was exhausted is not closed again; sources without `return`, and texts, will do', async () => {
  let closed = false;
  let left = 2;
  const source = {
    [Symbol.iterator]: () => ({
      next: () => (left-- > 0 ? { done: false as const, value: left } : { done: true as const, value: undefined }),
      return: () => {
        closed = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
  expect(await collect(mapBounded(source, async (input) => input, 5))).toEqual([1, 0]);
  expect(closed).toBe(false);
  expect(await collect(mapBounded('abc', async (letter) => letter, 2))).toEqual(['a', 'b', 'c']);
  const endless = { [Symbol.iterator]: () => ({ next: () => ({ done: false as const, value: 1 }) }) };
  for await (const _ of mapBounded(endless, async (input) => input, 2)) break;
});
