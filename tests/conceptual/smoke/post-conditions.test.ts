import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { assertPostConditions, HoldfastError, runPostConditions, type PostCondition } from '../../../dist/index.js';
import { summaryOf } from '../../../dist/smoke/post-conditions.js';
import { deferred } from '../../support/deferred.js';

type Kind = 'holds' | 'does not' | 'throws' | 'rejects';

/** A condition of each kind, and whether it was looked at. */
function condition(kind: Kind, severity: 'fail' | 'warn' | undefined, looked: string[], index: number) {
  const name = `${kind} ${index}`;
  const check = (): { ok: boolean; actual: string } | Promise<{ ok: boolean; actual: string }> => {
    looked.push(name);
    if (kind === 'throws') throw new RangeError('out of range');
    if (kind === 'rejects') return Promise.reject(new Error('no connection'));
    return { ok: kind === 'holds', actual: 'four' };
  };
  return { name, expected: 'five', check, ...(severity && { severity }) };
}

const kinds = fc.array(
  fc.tuple(
    fc.constantFrom<Kind>('holds', 'does not', 'throws', 'rejects'),
    fc.constantFrom('fail' as const, 'warn' as const, undefined),
  ),
  { maxLength: 12 },
);

test('all conditions are looked at, once and in their order, whatever becomes of those before', async () => {
  await fc.assert(
    fc.asyncProperty(kinds, async (list) => {
      const looked: string[] = [];
      const conditions = list.map(([kind, severity], index) => condition(kind, severity, looked, index));
      const results = await runPostConditions(conditions, undefined);
      expect(looked).toEqual(conditions.map(({ name }) => name));
      expect(results.map(({ name, ok, severity }) => ({ name, ok, severity }))).toEqual(
        list.map(([kind, severity], index) => ({
          name: `${kind} ${index}`,
          ok: kind === 'holds',
          severity: severity ?? 'fail',
        })),
      );
      for (const { durationMs } of results) expect(durationMs).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('the asserting form throws when one fails that is no warning, and then alone; its message is the summary', async () => {
  await fc.assert(
    fc.asyncProperty(kinds, async (list) => {
      const conditions = list.map(([kind, severity], index) => condition(kind, severity, [], index));
      const results = await runPostConditions(conditions, undefined);
      const fails = list.some(([kind, severity]) => kind !== 'holds' && severity !== 'warn');
      let thrown: unknown;
      try {
        assertPostConditions(results);
      } catch (error) {
        thrown = error;
      }
      expect(thrown !== undefined).toBe(fails);
      expect(summaryOf(results).startsWith(fails ? 'FAILED: ' : 'All post-conditions PASSED (')).toBe(true);
      if (fails) {
        expect(thrown).toBeInstanceOf(HoldfastError);
        expect(thrown).toMatchObject({ code: 'ERR_POST_CONDITION', message: summaryOf(results) });
      }
    }),
  );
});

describe('the summary', () => {
  const summary = async (...conditions: PostCondition<undefined>[]) =>
    summaryOf(await runPostConditions(conditions, undefined));
  const holds = { name: 'a', expected: 'x', check: () => ({ ok: true, actual: 'x' }) };
  const fails = { name: 'b', expected: 'x', check: () => ({ ok: false, actual: 'y', diagnostic: 'y is not x' }) };

  test('of what holds tells how many were looked at', async () => {
    expect(await summary(holds, holds, holds, holds)).toBe('All post-conditions PASSED (4 checks)');
    expect(await summary(holds)).toBe('All post-conditions PASSED (1 check)');
    expect(await summary()).toBe('All post-conditions PASSED (0 checks)');
  });

  test('of what fails names each one, with its diagnostic', async () => {
    const throwing = { ...fails, name: 'c', check: () => Promise.reject(new TypeError('no queue')) };
    expect(await summary(fails, holds, throwing)).toBe('FAILED: b: y is not x | c: it threw TypeError: no queue');
  });

  test('counts warnings, and is no failure for them', async () => {
    expect(await summary(holds, { ...fails, severity: 'warn' })).toBe(
      'All post-conditions PASSED (2 checks, 1 warning)',
    );
  });

  test('tells what was expected and what was found where there is no diagnostic', async () => {
    const check = () => ({ ok: false, actual: 'three' });
    expect(await summary({ name: 'events', expected: 'four', check })).toBe(
      'FAILED: events: expected four, found three',
    );
  });
});

test('a result carries what was expected, what was found, and a diagnostic only where it does not hold', async () => {
  const [good, bad] = await runPostConditions(
    [
      { name: 'good', expected: '2', check: (n: number) => ({ ok: n === 2, actual: String(n), diagnostic: 'unused' }) },
      { name: 'bad', expected: '3', check: async (n: number) => ({ ok: n === 3, actual: String(n) }) },
    ],
    2,
  );
  expect(good).toEqual({
    name: 'good',
    ok: true,
    severity: 'fail',
    expected: '2',
    actual: '2',
    durationMs: good!.durationMs,
  });
  expect(bad).toMatchObject({ ok: false, expected: '3', actual: '2', diagnostic: 'expected 3, found 2' });
});

test.each([
  [undefined],
  [true],
  [null],
  ['fine'],
  [{ ok: 1, actual: 'x' }],
  [{ ok: true }],
  [{ ok: true, actual: 'x', diagnostic: 3 }],
])('what is no finding is a failure: %j', async (finding) => {
  const check = () => finding as never;
  const [result] = await runPostConditions([{ name: 'odd', expected: 'x', check }], undefined);
  expect(result!.ok).toBe(false);
  expect(result!.diagnostic).toMatch(/^it gave .+ instead of \{ ok, actual \}$/);
});

test('what is thrown and no error is told as it is', async () => {
  const check = () => {
    throw 'plain words'; // oxlint-disable-line typescript/only-throw-error
  };
  const [result] = await runPostConditions([{ name: 'odd', expected: 'x', check }], undefined);
  expect(result!.diagnostic).toBe('it threw "plain words"');
});

describe('a condition that hangs', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const hanging = { name: 'hangs', expected: 'an answer', check: () => new Promise<never>(() => {}) };
  const next = { name: 'next', expected: 'x', check: () => ({ ok: true, actual: 'x' }) };

  test.each([
    [{}, 10_000, '10s'],
    [{ deadline: 250 }, 250, '250ms'],
    [{ deadline: '2s' }, 2_000, '2s'],
  ])('has failed once its deadline has passed (%j), and the next one is looked at', async (options, ms, text) => {
    const running = runPostConditions([hanging, next], undefined, options);
    let done = false;
    void running.then(() => (done = true));
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    const [late, after] = await running;
    expect(late).toMatchObject({ ok: false, diagnostic: `no answer within ${text}` });
    expect(after!.ok).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('may fail later: nobody is surprised by it', async () => {
    const late = deferred<never>();
    const running = runPostConditions([{ ...hanging, check: () => late.promise }], undefined, { deadline: 5 });
    await vi.advanceTimersByTimeAsync(5);
    await running;
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    late.reject(new Error('too late'));
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

test.each([[0], [-1], [NaN], [Infinity], ['banana'], ['5'], ['0ms'], [2 ** 31]])(
  'a deadline of %j is refused before anything is looked at',
  async (deadline) => {
    const check = vi.fn();
    const running = runPostConditions([{ name: 'a', expected: 'x', check }], undefined, { deadline });
    await expect(running).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
    expect(check).not.toHaveBeenCalled();
  },
);
