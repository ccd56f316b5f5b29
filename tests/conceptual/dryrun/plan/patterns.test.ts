/** When events arrive, and of which types: planned ahead from the seed, in three patterns. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planArrivals, type Arrival } from '../../../../dist/dryrun/plan/arrivals.js';
import { DEFAULT_PLAN, type Plan } from '../../../../dist/dryrun/plan/plan.js';
import type { Pattern } from '../../../../dist/dryrun/plan/patterns.js';
import { drawOf } from '../../../../dist/dryrun/plan/random.js';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const rates = fc.double({ min: 0.001, max: 1_000_000, noNaN: true });
const patterns = fc.constantFrom<Pattern>('sequential', 'random', 'burst');

function arrivals(plan: Partial<Plan>): Arrival[] {
  return [...planArrivals({ ...DEFAULT_PLAN, ...plan })];
}

/** Groups of arrivals at the same instant. */
function groups(all: readonly Arrival[]): { at: number; size: number }[] {
  const found: { at: number; size: number }[] = [];
  for (const { at } of all) {
    if (found.at(-1)?.at === at) found.at(-1)!.size++;
    else found.push({ at, size: 1 });
  }
  return found;
}

const share = (all: readonly Arrival[], type: string) => all.filter((each) => each.type === type).length / all.length;

describe('every pattern', () => {
  test('plans the same arrivals from the same seed, and others from another one', () => {
    fc.assert(
      fc.property(patterns, rates, seeds, (pattern, rate, seed) => {
        const plan = { pattern, rate, seed, count: 50 };
        expect(arrivals(plan)).toEqual(arrivals(plan));
        if (pattern === 'sequential') return;
        expect(arrivals({ ...plan, seed: (seed + 1) % 2 ** 32 })).not.toEqual(arrivals(plan));
      }),
    );
  });

  test('never goes back in time, begins no earlier than the start, and numbers each type from 1', () => {
    fc.assert(
      fc.property(patterns, rates, seeds, (pattern, rate, seed) => {
        const next = new Map<string, number>();
        let before = 0;
        for (const { at, type, n } of arrivals({ pattern, rate, seed, count: 100 })) {
          expect(at).toBeGreaterThanOrEqual(before);
          before = at;
          next.set(type, (next.get(type) ?? 0) + 1);
          expect(n).toBe(next.get(type));
        }
      }),
    );
  });

  test.each<Pattern>(['sequential', 'random', 'burst'])('keeps the mean rate: %s', (pattern) => {
    const all = arrivals({ pattern, rate: 250, durationMs: 200_000 });
    expect(all.length / 200).toBeGreaterThan(245);
    expect(all.length / 200).toBeLessThan(255);
  });

  test('ends with the count, or before the duration, whichever is given', () => {
    fc.assert(
      fc.property(patterns, seeds, fc.integer({ min: 1, max: 500 }), (pattern, seed, limit) => {
        expect(arrivals({ pattern, seed, count: limit })).toHaveLength(limit);
        const timed = arrivals({ pattern, seed, rate: 100, durationMs: limit });
        for (const { at } of timed) expect(at).toBeLessThan(limit);
        // None is missing: the first one left out of a longer plan is too late.
        const longer = arrivals({ pattern, seed, rate: 100, count: timed.length + 1 });
        expect(longer.slice(0, -1)).toEqual(timed);
        expect(longer.at(-1)!.at).toBeGreaterThanOrEqual(limit);
      }),
    );
  });

  test('is the same whatever the events are made of', () => {
    const types = (make: Plan['events'][string]['make']) => ({ a: { make, weight: 3 }, b: { make, weight: 1 } });
    for (const pattern of ['random', 'burst'] as const) {
      const plain = arrivals({ pattern, count: 100, events: types(() => ({})) });
      const rich = arrivals({ pattern, count: 100, events: types((draw) => ({ many: [draw.float(), draw.float()] })) });
      expect(rich).toEqual(plain);
    }
  });
});

describe('sequential', () => {
  test('cycles the types', () => {
    const types = arrivals({ count: 7 }).map(({ type }) => type);
    expect(types).toEqual(['trade', 'order', 'position', 'trade', 'order', 'position', 'trade']);
  });

  test('spaces evenly, and is not off by a hair after a million', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const offsets = arrivals({ rate, count: 20 }).map(({ at }) => at);
        expect(offsets).toEqual(offsets.map((_, n) => (n * 1_000) / rate));
      }),
    );
    let last: Arrival | undefined;
    for (const arrival of planArrivals({ ...DEFAULT_PLAN, rate: 3, count: 1_000_001 })) last = arrival;
    expect(last!.at).toBe(1_000_000_000 / 3);
  });
});

describe('random', () => {
  const all = arrivals({ pattern: 'random', rate: 100, count: 20_000 });
  const gaps = all.map(({ at }, n) => at - (n === 0 ? 0 : all[n - 1]!.at));

  test('draws the types, by their weights', () => {
    expect(share(all, 'trade')).toBeCloseTo(0.5, 1);
    expect(share(all, 'order')).toBeCloseTo(0.3, 1);
    expect(share(all, 'position')).toBeCloseTo(0.2, 1);
    const inTurn = all.filter(({ type }, n) => type === ['trade', 'order', 'position'][n % 3]);
    expect(inTurn.length).toBeLessThan(all.length / 2);
  });

  test('draws them without regard to when they come', () => {
    const late = all.filter((_, n) => gaps[n]! > 7);
    expect(share(late, 'trade')).toBeCloseTo(0.5, 1);
  });

  test('draws a type without a weight as one of weight 1', () => {
    const make = () => ({});
    const events = { heavy: { make, weight: 3 }, light: { make } };
    expect(share(arrivals({ pattern: 'random', count: 4_000, events }), 'light')).toBeCloseTo(0.25, 1);
  });

  test('is a Poisson process: its gaps are distributed exponentially', () => {
    const sorted = gaps.toSorted((a, b) => a - b);
    // The largest distance of the two distribution functions (Kolmogorov and Smirnov); above 0.0138, chance would explain it once in a thousand.
    const distance = Math.max(...sorted.map((gap, n) => Math.abs(1 - Math.exp(-gap / 10) - (n + 0.5) / sorted.length)));
    expect(distance).toBeLessThan(0.0138);
  });

  test('has gaps that do not depend on the one before', () => {
    const centred = gaps.map((gap) => gap - 10);
    const product = centred.slice(1).reduce((sum, gap, n) => sum + gap * centred[n]!, 0);
    const square = centred.reduce((sum, gap) => sum + gap * gap, 0);
    expect(Math.abs(product / square)).toBeLessThan(0.03);
  });

  test('begins at no other time than later gaps last, with small seeds as well', () => {
    const firsts = Array.from({ length: 1_000 }, (_, seed) => arrivals({ pattern: 'random', seed, count: 1 })[0]!.at);
    expect(firsts.reduce((sum, at) => sum + at, 0) / firsts.length / 1_000).toBeCloseTo(1, 0);
    expect(firsts.filter((at) => at < 693).length / firsts.length).toBeCloseTo(0.5, 1);
  });
});

describe('burst', () => {
  test('emits 3 to 10 back to back, then pauses', () => {
    fc.assert(
      fc.property(seeds, rates, (seed, rate) => {
        // The last group may have been cut off.
        const found = groups(arrivals({ pattern: 'burst', seed, rate, count: 200 })).slice(0, -1);
        for (const { size } of found) {
          expect(size).toBeGreaterThanOrEqual(3);
          expect(size).toBeLessThanOrEqual(10);
        }
        for (const [index, { at, size }] of found.entries()) {
          const next = found[index + 1];
          if (next) expect((next.at - at) * rate).toBeCloseTo(size * 1_000, 4);
        }
      }),
    );
    const sizes = new Set(groups(arrivals({ pattern: 'burst', durationMs: 2_000_000 })).map(({ size }) => size));
    expect([...sizes].toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('has groups of the size that is asked for', () => {
    const found = groups(arrivals({ pattern: 'burst', burstSize: { min: 4, max: 4 }, count: 40 }));
    expect(found.map(({ size }) => size)).toEqual(Array.from({ length: 10 }, () => 4));
  });

  test('draws the types', () => {
    const all = arrivals({ pattern: 'burst', count: 5_000 });
    expect(share(all, 'trade')).toBeCloseTo(0.5, 1);
  });
});

describe('random numbers', () => {
  test('are the same for the same seed, and of another stream for another purpose', () => {
    const first = (seed: number, stream: Parameters<typeof drawOf>[1]) => {
      const draw = drawOf(seed, stream);
      return Array.from({ length: 10 }, () => draw.float());
    };
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(first(seed, 'times')).toEqual(first(seed, 'times'));
        const all = [...first(seed, 'times'), ...first(seed, 'types'), ...first(seed, 'bodies')];
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });

  test('are whole numbers within their limits, each as likely, and items of a list', () => {
    const draw = drawOf(42, 'bodies');
    const counts = new Map<number, number>();
    for (let n = 0; n < 6_000; n++) {
      const value = draw.whole(-1, 4);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([-1, 0, 1, 2, 3, 4]);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    const picked = new Set(Array.from({ length: 100 }, () => draw.pick(['a', 'b', 'c'])));
    expect([...picked].toSorted()).toEqual(['a', 'b', 'c']);
  });
});
