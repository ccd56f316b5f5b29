/** When tasks are asked to stop, told of and ended: real boards and a real lookout, simulated looks and clock. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Lookout, type Sighting } from '../../../../../dist/runtime/pool/watch/lookout.js';
import type { Pool } from '../../../../../dist/runtime/pool/pool.js';
import type { Batch } from '../../../../../dist/runtime/pool/thread/batch.js';
import type { PoolThread } from '../../../../../dist/runtime/pool/thread/pool-thread.js';
import { VitalSigns, type TaskInFlight } from '../../../../../dist/runtime/pool/watch/vital-signs.js';
import type { ClaimedTask } from '../../../../../dist/runtime/queue/contract.js';
import { AbortReason, ThreadBoard } from '../../../../../dist/runtime/thread/board.js';

const TIMEOUT = 1_000;
const GRACE = 500;
const STALL_AFTER = 10_000;
/** How exact all of this is. */
const TICK = 20;
/** What a look may take where somebody waits for it. */
const LIMIT = 250;

const after = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One thread whose lanes run a task each. */
function setUp({ lookMs = 200, timeout, lanes = 1 }: { lookMs?: number; timeout?: number; lanes?: number } = {}) {
  const board = new ThreadBoard(ThreadBoard.allocate(lanes));
  const tasks = Array.from({ length: lanes }, (_, seq) => ({ seq, id: `task ${seq}` }) as ClaimedTask);
  const batches = tasks.map((task, lane): Batch => ({ lane, tasks: [task], reported: 0, size: 1 }));
  const thread = { number: 1, threadId: 7, board, batches, dead: false, blocked: false, busy: true };
  const looks: number[] = [];
  const lookout = new Lookout((threadId) => {
    looks.push(threadId);
    const sighting: Sighting = { pauseMs: 50, stuckAt: (id) => `${id} at the time of look ${looks.length}` };
    return new Promise((resolve) => setTimeout(() => resolve(sighting), lookMs));
  });
  const told: string[] = [];
  const unyielding: { id: string | undefined; reason: AbortReason; stuck: boolean }[] = [];
  const vitalSigns = new VitalSigns(
    { threads: [thread as unknown as PoolThread] } as Pool,
    lookout,
    { timeout, grace: GRACE, stallAfter: STALL_AFTER },
    {
      onStuck: (stuck) => told.push(...stuck.map(({ inFlight, concern }) => `${inFlight.task.id} ${concern}`)),
      onUnyielding: ({ task }, reason, stuck) => unyielding.push({ id: task.id, reason, stuck }),
      onStuckBehind: () => {},
      onStirred: () => {},
      onRunning: () => {},
    },
  );
  const since = tasks.map((_, lane) => board.begin(lane, 0));
  vitalSigns.start();
  const inFlight = (): TaskInFlight => vitalSigns.inFlight()[0]!;
  const beat = setInterval(() => board.beat(), 25);
  return { board, thread, tasks, looks, told, unyielding, vitalSigns, since, inFlight, beat };
}

describe('a task that is out of time', () => {
  test('counts as timed out at once, and hears of it when it was seen where it stood', async () => {
    const { board, told } = setUp({ timeout: TIMEOUT });
    await after(TIMEOUT);
    expect(board.abortRequest(0, 0)).toBeUndefined();
    await after(TICK);
    expect(board.abortRequest(0, 0)).toBe(AbortReason.timeout);
    expect(board.abortToDeliver(0, 0)).toBeUndefined();
    await after(200 - TICK);
    expect(board.abortToDeliver(0, 0)).toBeUndefined();
    expect(told).toEqual([]);
    await after(2 * TICK);
    expect(board.abortToDeliver(0, 0)).toBe(AbortReason.timeout);
    expect(told).toEqual(['task 0 timed-out']);
  });

  test('hears of it after a quarter of a second, however long the look takes', async () => {
    const { board, told, unyielding } = setUp({ timeout: TIMEOUT, lookMs: 60_000 });
    await after(TIMEOUT + LIMIT);
    expect(board.abortToDeliver(0, 0)).toBeUndefined();
    await after(3 * TICK);
    expect(board.abortToDeliver(0, 0)).toBe(AbortReason.timeout);
    expect(told).toEqual(['task 0 timed-out']);
    // Then it has its grace, and the same again for the look.
    await after(GRACE + LIMIT - TICK);
    expect(unyielding).toEqual([]);
    await after(3 * TICK);
    expect(unyielding[0]).toMatchObject({ reason: AbortReason.timeout });
  });

  test('has its grace from when it hears of it, and loses its thread once it was seen again', async () => {
    const { looks, unyielding, told } = setUp({ timeout: TIMEOUT, lookMs: 150 });
    await after(TIMEOUT + 150 + 2 * TICK);
    await after(GRACE - TICK);
    expect(told).toEqual(['task 0 timed-out']);
    expect(unyielding).toEqual([]);
    await after(3 * TICK);
    expect([looks.length, unyielding]).toEqual([2, []]);
    await after(150);
    expect(told).toEqual(['task 0 timed-out', 'task 0 unyielding']);
    expect(unyielding[0]).toEqual({ id: 'task 0', reason: AbortReason.timeout, stuck: false });
  });

  test('hears at once of its cancellation, which outranks, with the grace that this takes', async () => {
    const { board, looks, unyielding, vitalSigns, inFlight } = setUp({ timeout: TIMEOUT, lookMs: 200 });
    await after(TIMEOUT + TICK + 100);
    vitalSigns.abort(inFlight(), AbortReason.cancel);
    expect(board.abortToDeliver(0, 0)).toBe(AbortReason.cancel);
    await after(GRACE - TICK);
    expect(board.abortToDeliver(0, 0)).toBe(AbortReason.cancel);
    // The one look that there was: it was not out of grace yet.
    expect([looks.length, unyielding]).toEqual([1, []]);
    await after(300 + 3 * TICK);
    expect(unyielding[0]).toMatchObject({ reason: AbortReason.cancel });
  });
});

test.each([
  ['cancelled', AbortReason.cancel],
  ['told to stop', AbortReason.stop],
] as const)('a task that is %s hears of it at once, and is looked at before its thread is ended', async (_, reason) => {
  const { board, looks, told, unyielding, vitalSigns, inFlight } = setUp();
  if (reason === AbortReason.stop) vitalSigns.abortAll();
  else vitalSigns.abort(inFlight(), reason);
  expect(board.abortToDeliver(0, 0)).toBe(reason);
  await after(GRACE);
  expect(looks).toEqual([]);
  await after(2 * TICK);
  expect([looks, unyielding]).toEqual([[7], []]);
  await after(300);
  expect(told).toEqual(['task 0 unyielding']);
  expect(unyielding[0]).toMatchObject({ reason });
});

describe('a task past stallAfter', () => {
  test('is looked at and told of once, while it goes on', async () => {
    const { board, looks, told, unyielding } = setUp();
    await after(STALL_AFTER);
    expect(looks).toEqual([]);
    await after(2 * TICK + 300);
    expect(told).toEqual(['task 0 stalled']);
    await after(10 * STALL_AFTER);
    expect(told).toEqual(['task 0 stalled']);
    expect(looks).toHaveLength(1);
    expect([board.abortRequest(0, 0), unyielding]).toEqual([undefined, []]);
  });

  test('is told of as a silent thread where that does not turn', async () => {
    const { beat, board, told } = setUp();
    clearInterval(beat);
    await after(3 * STALL_AFTER);
    expect(told).toEqual(['task 0 silent']);
    // It turns again, and nothing new is to be told.
    board.beat();
    await after(STALL_AFTER / 2);
    expect(told).toEqual(['task 0 silent']);
  });

  test('is told of again when its thread falls silent later', async () => {
    const { beat, told } = setUp();
    await after(2 * STALL_AFTER);
    clearInterval(beat);
    await after(2 * STALL_AFTER);
    expect(told).toEqual(['task 0 stalled', 'task 0 silent']);
  });

  test('that was asked to stop is not told of besides', async () => {
    const { told, vitalSigns, inFlight } = setUp();
    await after(STALL_AFTER - 100);
    vitalSigns.abort(inFlight(), AbortReason.cancel);
    await after(GRACE);
    expect(told).toEqual([]);
  });

  test('and a thousand of them on one thread, are all told of after one look', async () => {
    const { looks, told } = setUp({ lanes: 1_000 });
    await after(STALL_AFTER + 300 + 3 * TICK);
    expect(told).toHaveLength(1_000);
    expect(looks).toHaveLength(1);
  });
});

test('a thread that is dead already is neither looked at nor told of', async () => {
  const { thread, looks, told } = setUp({ timeout: TIMEOUT });
  thread.dead = true;
  await after(3 * STALL_AFTER);
  expect([looks, told]).toEqual([[], []]);
});
