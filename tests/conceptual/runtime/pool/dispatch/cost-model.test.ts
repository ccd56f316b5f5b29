import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CostModel, MAX_BATCH } from '../../../../../dist/runtime/pool/dispatch/cost-model.js';

/** What the dispatcher does with it: fill a batch of one handler's tasks, and observe what it cost. */
function run(model: CostModel, msPerTask: number, { bytes = 10, batches = 40, handler = 'h' } = {}): number[] {
  const sizes: number[] = [];
  for (let i = 0; i < batches; i++) {
    let size = 0;
    for (let filled = 0; size < MAX_BATCH && (size === 0 || filled + model.share(handler, bytes) <= 1); size++) {
      filled += model.share(handler, bytes);
    }
    sizes.push(size);
    model.observe(handler, size, size * msPerTask, size * bytes);
  }
  return sizes;
}

test('a handler that was never seen sends its tasks alone', () => {
  const model = new CostModel();
  expect(model.share('h', 10)).toBe(1);
  expect(model.typicalBatch).toBe(1);
});

test('tasks that cost nothing come to travel in the largest batches, by steps of at most four times', () => {
  const sizes = run(new CostModel(), 0);
  expect(sizes[0]).toBe(1);
  for (let i = 1; i < sizes.length; i++) expect(sizes[i]).toBeLessThanOrEqual(sizes[i - 1]! * 4);
  // The shares add up with an error of rounding, which may cost a task.
  expect(sizes.at(-1)).toBeGreaterThanOrEqual(MAX_BATCH - 1);
});

test('whatever tasks cost, a message comes to carry the same work, as far as whole tasks and the largest batch allow', () => {
  const target = run(new CostModel(), 0.05).at(-1)! * 0.05;
  expect(target).toBeGreaterThan(1);
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1000, noNaN: true }), (msPerTask) => {
      const size = run(new CostModel(), msPerTask).at(-1)!;
      if (size > 1) expect(size * msPerTask).toBeLessThan(target * 1.02);
      if (size < MAX_BATCH - 1) expect((size + 1) * msPerTask).toBeGreaterThan(target * 0.98);
    }),
  );
});

test('so much waits ahead for each thread as keeps it busy for a while: nothing of what takes long, or was never seen', () => {
  const ahead = (msPerTask: number) => {
    const model = new CostModel();
    run(model, msPerTask);
    return model.ahead;
  };
  expect(new CostModel().ahead).toBe(0);
  expect(ahead(1000)).toBe(0);
  expect(ahead(0)).toBe(MAX_BATCH);
  const costs = [0.001, 0.1, 0.5, 1, 2, 5, 10, 100];
  const waiting = costs.map(ahead);
  expect(waiting).toEqual(waiting.toSorted((a, b) => b - a));
  // More than one message of it, so that the next is there when one is done.
  expect(ahead(2) * 2).toBeGreaterThanOrEqual(run(new CostModel(), 2).at(-1)! * 2);
  // Not more than was seen to be safe, however cheap it seems.
  const model = new CostModel();
  model.observe('h', 1, 0, 10);
  expect(model.ahead).toBeLessThanOrEqual(4);
});

test('tasks that become dear soon travel alone again', () => {
  const model = new CostModel();
  run(model, 0.001);
  run(model, 100, { batches: 10 });
  expect(model.share('h', 10)).toBe(1);
});

describe('handlers', () => {
  test('are known apart: a dear one keeps a cheap one from nothing', () => {
    const model = new CostModel();
    run(model, 0.01, { handler: 'cheap' });
    run(model, 50, { handler: 'dear' });
    expect(model.share('dear', 10)).toBe(1);
    expect(model.share('cheap', 10)).toBeLessThan(0.01);
  });
});

describe('large inputs', () => {
  test('travel in few tasks a message, however cheap they are', () => {
    const model = new CostModel();
    const size = run(model, 0, { bytes: 2 ** 18 }).at(-1)!;
    expect(size).toBeLessThanOrEqual(4);
    expect(model.share('h', 2 ** 21)).toBe(1);
  });

  test('that are rare do not keep small ones of the same handler from travelling together for long', () => {
    const model = new CostModel();
    model.observe('h', 1, 0.01, 2 ** 22);
    expect(run(model, 0.01).at(-1)).toBeGreaterThan(100);
  });
});

test('a share is never above one, never nothing, and the typical batch is a whole number in its bounds', () => {
  const observation = fc.record({
    handler: fc.constantFrom('a', 'b'),
    count: fc.integer({ min: 1, max: MAX_BATCH }),
    ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
    bytes: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(observation), (observations) => {
      const model = new CostModel();
      for (const { handler, count, ms, bytes } of observations) {
        model.observe(handler, count, ms, bytes);
        for (const name of ['a', 'b', 'unknown']) {
          expect(model.share(name, 10)).toBeGreaterThanOrEqual(1 / MAX_BATCH);
          expect(model.share(name, 10)).toBeLessThanOrEqual(1);
        }
        expect(Number.isInteger(model.typicalBatch)).toBe(true);
        expect(model.typicalBatch).toBeGreaterThanOrEqual(1);
        expect(model.typicalBatch).toBeLessThanOrEqual(MAX_BATCH);
      }
    }),
  );
});
