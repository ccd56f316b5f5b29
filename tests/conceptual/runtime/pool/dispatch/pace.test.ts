/** A clock that is turned by hand: whatever comes when, no period has more starts than it may, and none waits in vain. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Pace, type PaceSettings } from '../../../../../dist/runtime/pool/dispatch/pace.js';
import { runs } from '../../../../support/runs.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Tasks that come at these gaps, each begun so long after it was handed over; gives when each began. */
function starts(settings: PaceSettings, gaps: readonly number[], lag: (index: number) => number) {
  let time = 0;
  const began: number[] = [];
  let waiting = 0;
  const pump = () => {
    while (waiting > 0 && pace.room(1) > 0) {
      waiting--;
      const task = {};
      pace.took(task);
      const at = time + lag(began.length);
      began.push(at);
      pace.began(task, at);
    }
  };
  const pace = new Pace(settings, () => time, pump);
  const pass = (ms: number) => {
    time += ms;
    vi.advanceTimersByTime(ms);
  };
  for (const gap of gaps) {
    for (let ms = 0; ms < gap; ms++) pass(1);
    waiting++;
    pump();
  }
  for (let ms = 0; waiting > 0 && ms < 10_000; ms++) pass(1);
  return { began, waiting };
}

const settings = fc.record({
  rate: fc.option(fc.record({ tasks: fc.integer({ min: 1, max: 5 }), periodMs: fc.integer({ min: 1, max: 50 }) }), {
    nil: undefined,
  }),
  delayMs: fc.integer({ min: 0, max: 20 }),
});
const gaps = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 30 });

describe('the pace of starts', () => {
  test('no period has more of them, and none follows another sooner; all come to start', () => {
    fc.assert(
      fc.property(settings, gaps, fc.integer({ min: 0, max: 9 }), ({ rate, delayMs }, gapsMs, lagMs) => {
        const { began, waiting } = starts({ rate, delayMs }, gapsMs, (index) => (index === 0 ? lagMs : 0));
        expect(waiting).toBe(0);
        expect(began).toHaveLength(gapsMs.length);
        began.forEach((at, index) => {
          if (index > 0) expect(at - began[index - 1]!).toBeGreaterThanOrEqual(delayMs);
          if (rate !== undefined && index >= rate.tasks)
            expect(at - began[index - rate.tasks]!).toBeGreaterThanOrEqual(rate.periodMs);
        });
      }),
      { numRuns: runs(500) },
    );
  });

  test('no start waits for longer than it must', () => {
    const { began } = starts({ rate: { tasks: 3, periodMs: 100 }, delayMs: 0 }, [0, 0, 0, 0, 0, 50], () => 0);
    expect(began).toEqual([0, 0, 0, 100, 100, 100]);
    expect(starts({ rate: undefined, delayMs: 10 }, [0, 0, 5, 50], () => 0).began).toEqual([0, 10, 20, 55]);
  });

  test('as many are claimed as may start at once', () => {
    let time = 0;
    const pace = new Pace(
      { rate: { tasks: 3, periodMs: 100 }, delayMs: 0 },
      () => time,
      () => {},
    );
    expect([pace.room(2), pace.room(9)]).toEqual([2, 3]);
    pace.took({});
    time = 60;
    pace.took({});
    expect(pace.room(9)).toBe(1);
    pace.took({});
    expect(pace.room(9)).toBe(0);
    time = 100;
    expect(pace.room(9)).toBe(1);
    pace.stop();
    expect(
      new Pace(
        { rate: { tasks: 3, periodMs: 100 }, delayMs: 1 },
        () => 0,
        () => {},
      ).room(9),
    ).toBe(1);
  });

  test('after it was stopped, nobody is called', () => {
    let called = 0;
    const pace = new Pace(
      { rate: undefined, delayMs: 10 },
      () => 0,
      () => called++,
    );
    pace.took({});
    expect(pace.room(1)).toBe(0);
    pace.stop();
    vi.advanceTimersByTime(1_000);
    expect(called).toBe(0);
  });

  test('where nothing is limited, there is none', () => {
    expect(
      Pace.of(
        { rate: undefined, delayMs: 0 },
        () => 0,
        () => {},
      ),
    ).toBeUndefined();
  });
});
