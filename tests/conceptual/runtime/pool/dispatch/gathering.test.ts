import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gathering } from '../../../../../dist/runtime/pool/dispatch/gathering.js';
import type { ClaimedTask, Settlement } from '../../../../../dist/runtime/queue/contract.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Of a store that takes so many ms to write; `written`: the seqs of each tick, when it was asked to. */
function setUp(writeMs: number) {
  const written: { at: number; seqs: number[] }[] = [];
  const gathering = new Gathering((tasks) => {
    const at = performance.now();
    if (written.at(-1)?.at !== at) written.push({ at, seqs: [] });
    written.at(-1)!.seqs.push(...tasks.map(({ seq }) => seq));
    return new Promise((resolve) => setTimeout(resolve, writeMs));
  });
  const begun = performance.now();
  return {
    gathering,
    add: (seq: number) => gathering.add([{ seq } as ClaimedTask], [{ seq } as unknown as Settlement]),
    written: () => written.map(({ at, seqs }) => ({ ms: at - begun, seqs })),
  };
}

test('the first is written at once; what ends in the rest after it, together when that is over', async () => {
  const { add, gathering, written } = setUp(1);
  add(1);
  expect(written()).toEqual([{ ms: 0, seqs: [1] }]);
  await vi.advanceTimersByTimeAsync(1);
  add(2);
  await vi.advanceTimersByTimeAsync(5);
  add(3);
  expect([gathering.isEmpty, written().length]).toEqual([false, 1]);
  await vi.advanceTimersByTimeAsync(20);
  expect(gathering.isEmpty).toBe(true);
  expect(written().slice(1)).toEqual([{ ms: 11, seqs: [2, 3] }]);
});

test('however long a write takes, no rest is longer than 10 ms', async () => {
  const { add, written } = setUp(500);
  add(1);
  await vi.advanceTimersByTimeAsync(500);
  add(2);
  await vi.advanceTimersByTimeAsync(9);
  expect(written()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(written()).toEqual([
    { ms: 0, seqs: [1] },
    { ms: 510, seqs: [2] },
  ]);
});

test('a store that takes no time is given no rest', async () => {
  const written: number[] = [];
  const gathering = new Gathering(async ([task]) => void written.push(task!.seq));
  for (const seq of [1, 2, 3]) {
    gathering.add([{ seq } as ClaimedTask], []);
    await Promise.resolve();
    expect(written.at(-1)).toBe(seq);
  }
});

test('a flush writes at once, and once', async () => {
  const { add, gathering, written } = setUp(1);
  add(1);
  await vi.advanceTimersByTimeAsync(1);
  add(2);
  gathering.flush();
  gathering.flush();
  expect(written().map(({ seqs }) => seqs)).toEqual([[1], [2]]);
  await vi.advanceTimersByTimeAsync(100);
  expect(written()).toHaveLength(2);
});
