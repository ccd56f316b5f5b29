import { describe, expect, test } from 'vitest';
import { CostModel } from '../../../../../dist/runtime/pool/dispatch/cost-model.js';
import { Hand } from '../../../../../dist/runtime/pool/dispatch/hand.js';
import type { ClaimedTask } from '../../../../../dist/runtime/queue/contract.js';
import { aTask } from '../../../../support/queue-tasks.js';

function claimed(seqs: readonly number[], fields: Partial<ClaimedTask> = {}): ClaimedTask[] {
  return seqs.map((seq) => ({
    ...aTask(),
    seq,
    token: 1,
    attempts: 0,
    crashes: 0,
    earlier: undefined,
    ...fields,
  }));
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const seqs = (tasks: readonly ClaimedTask[]) => tasks.map(({ seq }) => seq);

/** Costs of tasks of which a message was seen to hold `batch`. */
function costs(batch: number): CostModel {
  const model = new CostModel();
  while (model.typicalBatch < batch) model.observe('handle', model.typicalBatch, 0.001, model.typicalBatch);
  return model;
}

describe('a hand', () => {
  test('gives full messages, and leaves no rest that would need one more', () => {
    const hand = new Hand(costs(500));
    hand.add(claimed(range(1, 1000)));
    expect([hand.takeBatch(500).length, hand.takeBatch(500).length, hand.size]).toEqual([500, 500, 0]);
  });

  test('keeps the order, whatever comes, goes and comes back', () => {
    const hand = new Hand(costs(500));
    hand.add(claimed([1, 2, 3]));
    const [first] = [hand.takeBatch(2)];
    hand.add(claimed([4, 5]));
    expect(hand.size).toBe(3);
    hand.putBack(first);
    expect(hand.take('#2')).toMatchObject({ seq: 2 });
    expect(hand.take('#2')).toBeUndefined();
    expect(seqs(hand.takeBatch(3))).toEqual([1, 3, 4]);
    expect(seqs(hand.takeAll())).toEqual([5]);
    expect([hand.size, seqs(hand.takeAll()), seqs(hand.takeBatch(9))]).toEqual([0, [], []]);
  });

  test('lets one that has killed a thread travel alone', () => {
    const hand = new Hand(costs(500));
    hand.add([...claimed([1]), ...claimed([2], { crashes: 1 }), ...claimed([3])]);
    expect([seqs(hand.takeBatch(9)), seqs(hand.takeBatch(9)), seqs(hand.takeBatch(9))]).toEqual([[1], [2], [3]]);
  });
});
