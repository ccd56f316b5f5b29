import { quoted } from '../base/faults.js';
import type { Kind } from './option.js';
import { Refusal } from './refusal.js';

/** When a run ends before all its tasks have, as some failed. */
export interface Halt {
  /** What becomes of what runs then: with `soon` it comes to its end, with `now` it is interrupted. */
  when: 'soon' | 'now';
  limit: { kind: 'tasks'; tasks: number } | { kind: 'share'; percent: number };
}

/** As GNU parallel has it: `now,fail=1`, `soon,fail=10%`. */
export const halt: Kind<Halt, string> = {
  read(given) {
    const [, when, digits, percent] = /^(soon|now),fail=(\d{1,9})(%?)$/.exec(String(given)) ?? [];
    const count = Number(digits);
    if (count >= 1 && (percent === '' || count <= 100)) {
      const limit = percent === '%' ? { kind: 'share', percent: count } : { kind: 'tasks', tasks: count };
      return { when, limit } as Halt;
    }
    throw new Refusal(
      `must be soon or now, and how many may fail, such as soon,fail=3 or now,fail=10%, got ${quoted(given)}`,
    );
  },
  takes: '`soon` or `now`, then `,fail=` and a number or a percentage',
  json: { type: 'string', pattern: '^(soon|now),fail=[0-9]+%?$' },
  offers: ['now,fail=1', 'soon,fail=1', 'now,fail=10%', 'soon,fail=10%'],
};
