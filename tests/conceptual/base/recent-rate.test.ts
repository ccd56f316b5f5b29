import { describe, expect, test } from 'vitest';
import { RecentRate } from '../../../dist/base/recent-rate.js';
import { paceOf } from '../../../dist/cli/screen/pace.js';

/** A rate that was asked ten times a second, while outcomes came as `endedAt` has it. */
function asked(untilMs: number, endedAt: (at: number) => number, rate = new RecentRate()): RecentRate {
  for (let at = 0; at <= untilMs; at += 100) rate.add(endedAt(at), at);
  return rate;
}

describe('the recent rate', () => {
  test('is that of the last seconds, not the average since the start', () => {
    const rate = asked(60_000, (at) => (at < 30_000 ? at / 10 : 3_000 + Math.floor((at - 30_000) / 100)));
    expect(rate.perSecond(60_000)).toBeCloseTo(10, 0);
  });

  test('of long tasks looks back to the last outcomes, however long that is', () => {
    const rate = asked(600_000, (at) => Math.floor(at / 20_000));
    expect(rate.perSecond(600_000)).toBeCloseTo(0.05, 2);
    // The next one is due in a second: that it has not come is nothing special.
    expect(rate.silentMs(619_000)).toBeUndefined();
    expect(rate.silentMs(800_000)).toBe(200_000);
  });

  test('falls when nothing ends any more, and that is told within seconds', () => {
    const rate = asked(4_000, (at) => Math.min(400, at));
    expect(rate.silentMs(3_000)).toBeUndefined();
    for (let at = 4_100; at <= 45_000; at += 100) rate.add(400, at);
    expect(rate.silentMs(45_000)).toBe(45_000 - 400);
    expect(rate.perSecond(45_000)).toBeLessThan(10);
  });

  test('before the first outcome is none, and silence is told after a while', () => {
    const rate = asked(20_000, () => 0);
    expect([rate.perSecond(20_000), rate.silentMs(20_000)]).toEqual([0, undefined]);
    expect(rate.silentMs(40_000)).toBe(40_000);
    expect(new RecentRate().perSecond(1)).toBe(0);
    expect(new RecentRate().silentMs(1)).toBeUndefined();
  });
});

test('what is paused, or waits for a retry, is not silent', () => {
  const rate = asked(1_000, (at) => at / 10);
  const asking = { done: 100, running: 1, mode: 'running' } as const;
  expect(paceOf(rate, asking, 20_000).silentMs).toBe(19_000);
  expect(paceOf(rate, { ...asking, running: 0 }, 20_000).silentMs).toBeUndefined();
  expect(paceOf(rate, { ...asking, mode: 'paused' }, 20_000)).toEqual({ ratePerSecond: 0, silentMs: undefined });
  expect(paceOf(rate, asking, 21_000).silentMs).toBeUndefined();
});
