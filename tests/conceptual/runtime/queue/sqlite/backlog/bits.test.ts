import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bits } from '../../../../../../dist/runtime/queue/sqlite/backlog/bits.js';
import { runs } from '../../../../../support/runs.js';

// Close together and far apart, on both sides of the ends of words and chunks.
const number = fc.oneof(
  fc.nat(70),
  fc.integer({ min: 32_760, max: 32_775 }),
  fc.constantFrom(65_535, 65_536, 10_000_000, 2 ** 40),
);
const step = fc.record({ call: fc.constantFrom('add' as const, 'add' as const, 'delete' as const), number });

test('Bits holds what a Set would hold, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), number, (steps, from) => {
      const bits = new Bits();
      const model = new Set<number>();
      const sorted = (): number[] => [...model].sort((a, b) => a - b);
      for (const each of steps) {
        const changes = each.call === 'add' ? !model.has(each.number) : model.has(each.number);
        expect(bits[each.call](each.number)).toBe(changes);
        model[each.call](each.number);
        expect(bits.has(each.number)).toBe(model.has(each.number));
        expect(bits.first()).toBe(sorted()[0]);
      }
      expect(bits.size).toBe(model.size);
      expect(bits.next(from)).toBe(sorted().find((each) => each >= from));
      const found: number[] = [];
      for (let each = bits.first(); each !== undefined; each = bits.next(each + 1)) found.push(each);
      expect(found).toEqual(sorted());
      const copy = bits.from(from);
      bits.clear();
      expect(copy.size).toBe(sorted().filter((each) => each >= from).length);
      expect(copy.first()).toBe(sorted().find((each) => each >= from));
      expect(bits.first()).toBeUndefined();
    }),
    { numRuns: runs(300) },
  );
});

test.each([
  [5, 5],
  [31, 33],
  [32, 63],
  [64, 200],
  [32_700, 65_600],
])('a range from %i to %i is there as a whole, and no more', (first, last) => {
  const bits = new Bits();
  bits.addRange(first, last);
  expect(bits.size).toBe(last - first + 1);
  expect([bits.has(first - 1), bits.first(), bits.has(last), bits.next(last + 1)]).toEqual([
    false,
    first,
    true,
    undefined,
  ]);
  let each = first;
  while (bits.has(each)) each++;
  expect(each).toBe(last + 1);
});

test('a range of many chunks is there', () => {
  const bits = new Bits();
  bits.addRange(5, 100_000);
  expect(bits.size).toBe(99_996);
  expect([bits.first(), bits.has(4), bits.has(100_000), bits.next(100_001)]).toEqual([5, false, true, undefined]);
});
