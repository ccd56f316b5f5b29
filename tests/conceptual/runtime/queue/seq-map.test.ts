import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeqMap } from '../../../../dist/runtime/queue/seq-map.js';
import { runs } from '../../../support/runs.js';

/** Numbers come densely and in order, over several pages of 1024, and are taken out in any order. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), count: fc.integer({ min: 1, max: 700 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 700 }), at: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty' as const) }) },
);

test('a SeqMap holds what a Map would hold, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const map = new SeqMap<string>();
      const model = new Map<number, string>();
      let next = 1;
      const take = (seq: number) => {
        expect(map.take(seq)).toBe(model.get(seq));
        model.delete(seq);
        expect(map.take(seq)).toBeUndefined();
      };
      for (const { kind, ...given } of steps) {
        if (kind === 'set') {
          for (let i = 0; i < (given as { count: number }).count; i++, next++) {
            expect(map.get(next)).toBeUndefined();
            map.set(next, `value ${next}`);
            model.set(next, `value ${next}`);
          }
        } else {
          const { count = Infinity, at = 0 } = given as { count?: number; at?: number };
          const seqs = [...model.keys()];
          const first = seqs.length === 0 ? 0 : at % seqs.length;
          for (const seq of seqs.slice(first, first + count)) take(seq);
        }
        expect([...map.values()].sort()).toEqual([...model.values()].sort());
      }
      for (let seq = 0; seq <= next; seq++) expect(map.get(seq)).toBe(model.get(seq));
    }),
    { numRuns: runs(20) },
  );
});
