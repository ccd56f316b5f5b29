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
      bits.clear();
      expect(bits.first()).toBeUndefined();
    }),
    { numRuns: runs(300) },
  );
});

test('a range is there as a whole', () => {
  const bits = new Bits();
  bits.addRange(5, 100_000);
  expect(bits.size).toBe(99_996);
  expect([bits.first(), bits.has(4), bits.has(100_000), bits.next(100_001)]).toEqual([5, false, true, undefined]);
});
