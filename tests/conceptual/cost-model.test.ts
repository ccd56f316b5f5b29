import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CostModel, MAX_BATCH } from '../../dist/runtime/pool/cost-model.js';

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

/** As the module has it: how much work a message should carry. */
const TARGET_MS = 10;

test('whatever tasks cost, a message comes to carry about as much work as it should, and never more than one task too many', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1000, noNaN: true }), (msPerTask) => {
      const model = new CostModel();
      const size = run(model, msPerTask).at(-1)!;
      const work = size * msPerTask;
      if (msPerTask >= TARGET_MS) expect(size).toBe(1);
      else {
        expect(work).toBeLessThanOrEqual(TARGET_MS + 0.01);
        if (size < MAX_BATCH - 1) expect(work + msPerTask).toBeGreaterThan(TARGET_MS - 0.01);
      }
    }),
  );
});

test('short tasks are claimed ahead, about 20 ms of them for each thread; long ones are not', () => {
  const aheadOf = (msPerTask: number) => {
    const model = new CostModel();
    expect(model.ahead).toBe(0);
    run(model, msPerTask);
    return model.ahead;
  };
  expect(aheadOf(2)).toBe(10);
  expect(aheadOf(19)).toBe(1);
  expect(aheadOf(20)).toBe(0);
  expect(aheadOf(0)).toBe(MAX_BATCH);
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
