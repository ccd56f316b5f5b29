import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Lookout, type Concern, type Haste, type Sighting } from '../../../../../dist/runtime/pool/watch/lookout.js';
import type { PoolThread } from '../../../../../dist/runtime/pool/thread/pool-thread.js';
import type { ClaimedTask } from '../../../../../dist/runtime/queue/contract.js';
import { now } from '../../../../../dist/runtime/thread/board.js';
import { runs } from '../../../../support/runs.js';

const LIMIT_MS = 250;
/** What was seen by then is waited for so long, by those who only tell of it. */
const READ_MS = 750;
const TOLD: Concern[] = ['stalled', 'silent'];
const ACTED_ON: Concern[] = ['timed-out', 'unyielding'];

const thread = (threadId: number | undefined, lanes = 2) => ({ threadId, board: { lanes } }) as PoolThread;
const task = (id: string) => ({ id, seq: 1 }) as ClaimedTask;

/** Looks that take so long, of which each is kept: when it began and ended, and at whom. */
function looks({
  takesMs = 100,
  seenMs,
  pauseMs = 50,
  fails = false,
}: { takesMs?: number; seenMs?: number; pauseMs?: number; fails?: boolean } = {}) {
  const made: { threadId: number; haste: Haste; from: number; to: number }[] = [];
  const look = (threadId: number, haste: Haste) =>
    new Promise<Sighting>((resolve, reject) => {
      const one = { threadId, haste, from: now(), to: Infinity };
      made.push(one);
      setTimeout(() => haste.onSeen(), seenMs ?? takesMs);
      setTimeout(() => {
        one.to = now();
        if (fails) reject(new Error('it has ended'));
        else resolve({ pauseMs, stuckAt: (taskId) => `${taskId} was seen in look ${made.indexOf(one) + 1}` });
      }, takesMs);
    });
  return { made, lookout: new Lookout(look) };
}

const after = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('nobody is looked at before anybody is stuck, and nothing is said of who is not', () => {
  const { made, lookout } = looks();
  expect(lookout.stuckAt(thread(1), task('a'), now())).toBeUndefined();
  expect(made).toEqual([]);
});

test('tasks of one thread share a look, whatever is asked of them', async () => {
  const { made, lookout } = looks();
  const one = thread(1);
  const since = now();
  const tasks = Array.from({ length: 1_000 }, (_, index) => task(String(index)));
  const concerns = [...TOLD, ...ACTED_ON];
  const asked = () => tasks.map((each, index) => lookout.hasLooked(one, each, since, concerns[index % 4]!));
  expect(asked()).not.toContain(true);
  await after(99);
  expect(asked()).not.toContain(true);
  await after(1);
  expect(asked()).not.toContain(false);
  expect(made).toHaveLength(1);
  expect(lookout.stuckAt(one, tasks[7]!, since)).toBe('7 was seen in look 1');
});

test('what is seen is of this attempt: a look that began before it did tells nothing of it', async () => {
  const { made, lookout } = looks({ takesMs: 300 });
  const one = thread(1);
  lookout.hasLooked(one, task('old'), now(), 'stalled');
  await after(10);
  const young = task('young');
  const since = now();
  expect(lookout.hasLooked(one, young, since, 'stalled')).toBe(false);
  await after(300);
  expect(lookout.hasLooked(one, young, since, 'stalled')).toBe(false);
  expect(lookout.stuckAt(one, young, since)).toBe(
    'not known: its thread was inspected shortly before, and not paused again',
  );
  await after(1_000);
  expect(lookout.hasLooked(one, young, since, 'stalled')).toBe(false);
  await after(300);
  expect(lookout.hasLooked(one, young, since, 'stalled')).toBe(true);
  expect(made).toHaveLength(2);
  expect(lookout.stuckAt(one, young, since)).toBe('young was seen in look 2');
});

test('a task that is run again is asked anew, and what was seen the last time is not said of it', async () => {
  const { lookout } = looks();
  const [one, other] = [thread(1), thread(2)];
  const again = task('a');
  lookout.hasLooked(one, again, now(), 'timed-out');
  await after(100);
  const since = now() + 1;
  expect(lookout.stuckAt(other, again, since)).toBeUndefined();
  await after(1);
  expect(lookout.hasLooked(other, again, since, 'timed-out')).toBe(false);
  await after(100);
  expect(lookout.stuckAt(other, again, since)).toBe('a was seen in look 2');
});

describe('what is seen in time', () => {
  const out = (lookout: Lookout, one: PoolThread, late: ClaimedTask, since: number) =>
    lookout.hasLooked(one, late, since, 'timed-out');

  test('is told though it is read later, and where awaits stand is not asked once the task has heard', async () => {
    const { made, lookout } = looks({ seenMs: 200, takesMs: 600 });
    const [one, late, since] = [thread(1), task('late'), now()];
    expect(out(lookout, one, late, since)).toBe(false);
    expect(lookout.reading(one, task('other'), since)).toBeUndefined();
    await after(LIMIT_MS + 1);
    expect(made[0]!.haste.told.aborted).toBe(false);
    expect(out(lookout, one, late, since)).toBe(true);
    expect(made[0]!.haste.told.aborted).toBe(true);
    const reading = lookout.reading(one, late, since);
    await after(600);
    await reading;
    expect(lookout.stuckAt(one, late, since)).toBe('late was seen in look 1');
    expect(lookout.reading(one, late, since)).toBeUndefined();
  });

  test('is all that is told: what was seen after the task has heard is not where it stood', async () => {
    const { lookout } = looks({ seenMs: 300, takesMs: 600 });
    const [one, late, since] = [thread(1), task('late'), now()];
    out(lookout, one, late, since);
    await after(LIMIT_MS + 1);
    expect(out(lookout, one, late, since)).toBe(true);
    await after(600);
    expect(lookout.stuckAt(one, late, since)).toBe(
      'not known: its thread could not be inspected within 250ms, and then it was asked to stop',
    );
  });

  test('is not waited for longer than a second, all in all', async () => {
    const { lookout } = looks({ seenMs: 200, takesMs: 60_000 });
    const [one, late, since] = [thread(1), task('late'), now()];
    out(lookout, one, late, since);
    await after(LIMIT_MS + 1);
    out(lookout, one, late, since);
    let isRead = false;
    void lookout.reading(one, late, since)!.then(() => (isRead = true));
    await after(READ_MS - 1);
    expect(isRead).toBe(false);
    await after(1);
    expect(isRead).toBe(true);
    expect(lookout.stuckAt(one, late, since)).toBe('not known: it was over before its thread could be inspected');
  });

  test('is sought in what is left of the quarter of a second; who only wants to tell has the time until others need theirs', async () => {
    const { made, lookout } = looks({ takesMs: 10 });
    const since = now();
    for (const id of [1, 2]) lookout.hasLooked(thread(id), task(String(id)), since, 'stalled', () => id * 100);
    // Two are looked at: it has to wait.
    const late = task('late');
    const three = thread(3);
    out(lookout, three, late, since);
    await after(40);
    out(lookout, three, late, since);
    expect(made.map(({ haste: { urgent, withinMs } }) => [urgent, Math.round(withinMs!)])).toEqual([
      [false, 100],
      [false, 200],
      [true, 210],
    ]);
  });
});

describe('waiting for a look', () => {
  test.each(ACTED_ON)('ends after a quarter of a second where something is at stake: %s', async (concern) => {
    const { lookout } = looks({ takesMs: 60_000 });
    const one = thread(1);
    const since = now();
    const slow = task('slow');
    expect(lookout.hasLooked(one, slow, since, concern)).toBe(false);
    await after(LIMIT_MS);
    expect(lookout.hasLooked(one, slow, since, concern)).toBe(false);
    await after(1);
    expect(lookout.hasLooked(one, slow, since, concern)).toBe(true);
    expect(lookout.stuckAt(one, slow, since)).toBe('not known: it was over before its thread could be inspected');
  });

  test.each(TOLD)('takes as long as it takes where it is only to be told: %s', async (concern) => {
    const { lookout } = looks({ takesMs: 60_000 });
    const one = thread(1);
    const since = now();
    const slow = task('slow');
    lookout.hasLooked(one, slow, since, concern);
    await after(59_999);
    expect(lookout.hasLooked(one, slow, since, concern)).toBe(false);
    await after(1);
    expect(lookout.hasLooked(one, slow, since, concern)).toBe(true);
  });

  test('is spared where the thread was looked at just before: what is at stake goes on, what is told waits its turn', async () => {
    const { made, lookout } = looks({ pauseMs: 400 });
    const one = thread(1);
    const since = now();
    lookout.hasLooked(one, task('first'), since, 'timed-out');
    await after(100);
    for (const concern of ACTED_ON) expect(lookout.hasLooked(one, task(concern), since, concern)).toBe(true);
    const stalled = task('stalled');
    expect(lookout.hasLooked(one, stalled, since, 'stalled')).toBe(false);
    // It was there in that look as well.
    expect(lookout.stuckAt(one, stalled, since)).toBe('stalled was seen in look 1');
    await after(3_999);
    expect(lookout.hasLooked(one, stalled, since, 'stalled')).toBe(false);
    expect(made).toHaveLength(1);
    await after(1);
    lookout.hasLooked(one, stalled, since, 'stalled');
    expect(made).toHaveLength(2);
  });

  test('is short where a thread has but one task at a time: there, nobody else stands', async () => {
    const { made, lookout } = looks({ pauseMs: 400 });
    const one = thread(1, 1);
    lookout.hasLooked(one, task('first'), now(), 'timed-out');
    await after(100);
    const since = now() + 1;
    await after(399);
    expect(lookout.hasLooked(one, task('second'), since, 'timed-out')).toBe(true);
    await after(1);
    expect(lookout.hasLooked(one, task('third'), since, 'timed-out')).toBe(false);
    expect(made).toHaveLength(2);
  });

  test('a thread that is gone is not looked at, and one at which a look fails has its reason told', async () => {
    const { made, lookout } = looks({ fails: true });
    const since = now();
    lookout.hasLooked(thread(undefined), task('a'), since, 'timed-out');
    expect(made).toEqual([]);
    const one = thread(1);
    lookout.hasLooked(one, task('b'), since, 'timed-out');
    const b = task('b');
    lookout.hasLooked(one, b, since, 'timed-out');
    await after(100);
    expect(lookout.hasLooked(one, b, since, 'timed-out')).toBe(true);
    expect(lookout.stuckAt(one, b, since)).toBe('not known: its thread could not be inspected: it has ended');
  });
});

test('is settled once no look is under way', async () => {
  const { made, lookout } = looks();
  await lookout.settled();
  lookout.hasLooked(thread(1), task('a'), now(), 'stalled');
  let settled = false;
  const settling = lookout.settled().then(() => (settled = true));
  await after(99);
  expect(settled).toBe(false);
  await after(1);
  await settling;
  expect(made[0]!.to).toBe(now());
});

test('whatever gets stuck when: no thread stands more than a tenth of its time, and two at most are looked at', async () => {
  const stuck = fc.record({
    waits: fc.nat({ max: 700 }),
    thread: fc.integer({ min: 1, max: 4 }),
    concern: fc.constantFrom(...TOLD, ...ACTED_ON),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(stuck, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 500 }),
      async (all, takesMs) => {
        const { made, lookout } = looks({ takesMs, pauseMs: takesMs });
        const threads = [1, 2, 3, 4].map((threadId) => thread(threadId));
        const open = new Map<ClaimedTask, () => boolean>();
        for (const [index, { waits, thread, concern }] of all.entries()) {
          const each = task(String(index));
          const since = now();
          open.set(each, () => lookout.hasLooked(threads[thread - 1]!, each, since, concern));
          for (let passed = 0; passed <= waits; passed += 20) {
            for (const [which, isOver] of open) if (isOver()) open.delete(which);
            await after(20);
          }
        }
        const settled = lookout.settled();
        await after(takesMs);
        await settled;
        for (const { from } of made) {
          expect(made.filter((other) => other.from <= from && other.to > from).length).toBeLessThanOrEqual(2);
        }
        for (const threadId of [1, 2, 3, 4]) {
          const own = made.filter((each) => each.threadId === threadId);
          own.slice(1).forEach(({ from }, index) => {
            expect(from - own[index]!.to).toBeGreaterThanOrEqual(Math.max(1_000, 10 * takesMs) - 1e-3);
          });
        }
      },
    ),
    { numRuns: runs(30) },
  );
});
