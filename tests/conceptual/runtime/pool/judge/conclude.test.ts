import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  conclude,
  concludeCrash,
  mayCrashAgain,
  withStuckAt,
  type RetryPolicy,
} from '../../../../../dist/runtime/pool/judge/conclude.js';
import type { ClaimedTask } from '../../../../../dist/runtime/queue/contract.js';
import { AttemptEnd } from '../../../../../dist/runtime/thread/protocol.js';

const AT = 1_700_000_000_000;
const POLICY: RetryPolicy = {
  retries: 2,
  backoffBase: 100,
  backoffMax: 1000,
  maxCrashes: 3,
  timeout: undefined,
  now: () => AT,
};
const PLACE = { startedAt: 1000, durationMs: 2.5, thread: 4, version: '0123456789ab' };
const ERROR = { name: 'Error', message: 'no' };

function task(fields: Partial<ClaimedTask> = {}): ClaimedTask {
  return {
    seq: 7,
    token: 1,
    id: 'a',
    handler: 'h',
    input: '1',
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
    attempts: 0,
    crashes: 0,
    earlier: undefined,
    ...fields,
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: AT });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('an attempt that did what it should is `done` with its result, and where and when it ran', () => {
  expect(conclude(task({ crashes: 1, attempts: 1 }), AttemptEnd.done, '"ok"', PLACE, POLICY)).toEqual({
    kind: 'outcome',
    claim: expect.objectContaining({ seq: 7 }),
    state: 'done',
    attempts: 2,
    crashes: 1,
    result: '"ok"',
    error: undefined,
    ...PLACE,
  });
});

test.each([
  [AttemptEnd.failed, 'failed'],
  [AttemptEnd.timedOut, 'timed-out'],
] as const)('an attempt that ended otherwise is tried again until its retries are used up: %i', (end, state) => {
  for (const retries of [0, 1, 5]) {
    for (let attempts = 0; attempts < retries; attempts++) {
      const settlement = conclude(task({ attempts, retries }), end, ERROR, PLACE, POLICY);
      expect(settlement).toMatchObject({ kind: 'retry', claim: { seq: 7 }, attempts: attempts + 1, crashes: 0 });
    }
    const settlement = conclude(task({ attempts: retries, retries }), end, ERROR, PLACE, POLICY);
    expect(settlement).toMatchObject({
      kind: 'outcome',
      state,
      attempts: retries + 1,
      error: ERROR,
      result: undefined,
    });
  }
  // Without retries of its own, those of the run hold.
  expect(conclude(task({ attempts: 1 }), end, ERROR, PLACE, POLICY).kind).toBe('retry');
  expect(conclude(task({ attempts: 2 }), end, ERROR, PLACE, POLICY).kind).toBe('outcome');
});

test('an attempt that is followed by another is kept in short: the last five, and 200 characters of a text', () => {
  const error = { name: 'E', message: 'x'.repeat(300), code: 'E_X', stack: 'at x', stuckAt: 'there' };
  const settlement = conclude(task(), AttemptEnd.failed, error, PLACE, POLICY);
  const kept = { name: 'E', message: `${'x'.repeat(200)}…`, code: 'E_X' };
  const attempt = { attempt: 1, state: 'failed', error: kept, startedAt: 1000, durationMs: 2.5, thread: 4 };
  expect(settlement).toMatchObject({ kind: 'retry', earlier: [attempt] });
  let known = task({ retries: 9 });
  for (let attempts = 0; attempts < 9; attempts++) {
    const next = conclude({ ...known, attempts }, AttemptEnd.timedOut, ERROR, PLACE, POLICY);
    if (next.kind !== 'retry') throw new Error('it was to be retried');
    known = { ...known, earlier: next.earlier };
  }
  expect(known.earlier?.map((each) => [each.attempt, each.state])).toEqual([
    [5, 'timed-out'],
    [6, 'timed-out'],
    [7, 'timed-out'],
    [8, 'timed-out'],
    [9, 'timed-out'],
  ]);
});

test('what was cancelled is not tried again, what was interrupted is charged nothing', () => {
  expect(conclude(task({ retries: 9 }), AttemptEnd.cancelled, ERROR, PLACE, POLICY)).toMatchObject({
    kind: 'outcome',
    state: 'cancelled',
    attempts: 1,
    error: ERROR,
  });
  expect(conclude(task({ attempts: 1 }), AttemptEnd.interrupted, undefined, PLACE, POLICY)).toEqual({
    kind: 'release',
    claim: expect.objectContaining({ seq: 7 }),
  });
});

describe('the wait before a retry', () => {
  const wait = (attempts: number, random: number, policy = POLICY) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const settlement = conclude(task({ attempts, retries: 1000 }), AttemptEnd.failed, ERROR, PLACE, policy);
    return settlement.kind === 'retry' ? settlement.runAt - AT : undefined;
  };

  test('doubles with each attempt up to its most, and is drawn from all of that', () => {
    const ceilings = [0, 1, 2, 3, 4, 5, 900].map((attempts) => wait(attempts, 1));
    expect(ceilings).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
    expect(wait(3, 0)).toBe(0);
    expect(wait(3, 0.25)).toBe(200);
  });

  test('never leaves its bounds, whatever the policy', () => {
    vi.restoreAllMocks();
    const policies = fc.record({ base: fc.nat(), more: fc.nat(), attempts: fc.nat({ max: 999 }) });
    fc.assert(
      fc.property(policies, ({ base, more, attempts }) => {
        const policy = { ...POLICY, backoffBase: base, backoffMax: base + more };
        const settlement = conclude(task({ attempts, retries: 1000 }), AttemptEnd.failed, ERROR, PLACE, policy);
        if (settlement.kind !== 'retry') throw new Error('it was to be retried');
        expect(settlement.runAt - AT).toBeGreaterThanOrEqual(0);
        expect(settlement.runAt - AT).toBeLessThanOrEqual(Math.min(base + more, base * 2 ** attempts));
      }),
    );
  });
});

describe('a crash', () => {
  test('is charged apart from the attempts, and tried again at once, until there were too many', () => {
    const cause = Object.assign(new Error('out of memory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
    for (const crashes of [0, 1]) {
      expect(mayCrashAgain(task({ crashes }), POLICY)).toBe(true);
      expect(concludeCrash(task({ crashes, attempts: 1 }), cause, PLACE, POLICY)).toEqual({
        kind: 'retry',
        claim: expect.objectContaining({ seq: 7 }),
        attempts: 1,
        crashes: crashes + 1,
        runAt: AT,
        earlier: [
          {
            attempt: 2,
            state: 'crashed',
            error: {
              name: 'ThreadCrash',
              message: `its thread died under it, ${crashes + 1} of 3 times: out of memory (ERR_WORKER_OUT_OF_MEMORY)`,
              code: 'ERR_TASK_CRASHED',
            },
            startedAt: 1000,
            durationMs: 2.5,
            thread: 4,
          },
        ],
      });
    }
    expect(mayCrashAgain(task({ crashes: 2 }), POLICY)).toBe(false);
    expect(concludeCrash(task({ crashes: 2, attempts: 1 }), cause, PLACE, POLICY)).toEqual({
      kind: 'outcome',
      claim: expect.objectContaining({ seq: 7 }),
      state: 'crashed',
      attempts: 1,
      crashes: 3,
      result: undefined,
      error: {
        name: 'ThreadCrash',
        message: 'its thread died under it, 3 of 3 times: out of memory (ERR_WORKER_OUT_OF_MEMORY)',
        code: 'ERR_TASK_CRASHED',
        stack: cause.stack,
      },
      ...PLACE,
    });
  });

  test('whose cause has neither code nor stack is told all the same', () => {
    const cause = new Error('exited');
    delete cause.stack;
    const settlement = concludeCrash(task(), cause, PLACE, { ...POLICY, maxCrashes: 1 });
    expect(settlement).toMatchObject({ error: { message: 'its thread died under it, 1 of 1 times: exited' } });
    expect(settlement).not.toHaveProperty('error.stack');
  });
});

test('where a task stood goes to the error of its outcome, and only there', () => {
  const failed = conclude(task({ retries: 0 }), AttemptEnd.failed, ERROR, PLACE, POLICY);
  expect(withStuckAt(failed, 'waiting: here')).toEqual({ ...failed, error: { ...ERROR, stuckAt: 'waiting: here' } });
  expect(withStuckAt(failed, undefined)).toBe(failed);
  const done = conclude(task(), AttemptEnd.done, '1', PLACE, POLICY);
  expect(withStuckAt(done, 'waiting: here')).toBe(done);
  const retry = conclude(task(), AttemptEnd.timedOut, ERROR, PLACE, POLICY);
  expect(withStuckAt(retry, 'waiting: here')).toEqual(retry);
});
