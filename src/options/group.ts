import { quoted } from '../base/faults.js';
import type { GivenFor, Kind, Options, Origin, ValuesOf } from './option.js';
import { isObject, readOptions } from './read-options.js';
import { Refusal } from './refusal.js';

interface Company<Rows extends Options> {
  /** Of a flag: what its text stands for. */
  fromText?(text: string): object;
  /** What is wrong with the values in company, if anything is. */
  judge?(values: ValuesOf<Rows>): string | undefined;
}

/** Several options under one name: `backoff: { base, max }`. */
export function group<const Rows extends Options>(
  parts: Rows,
  { fromText, judge }: Company<Rows> = {},
): Kind<ValuesOf<Rows>, GivenFor<Rows>> {
  return {
    parts,
    read(given, origin) {
      const object = origin === 'flag' && typeof given === 'string' && fromText ? fromText(given) : given;
      if (!isObject(object)) throw new Refusal(notAnObject(Object.keys(parts), object, origin));
      const { values, faults } = readOptions(parts, object, origin);
      if (faults.length > 0) throw new Refusal(faults);
      const problem = judge?.(values);
      if (problem !== undefined) throw new Refusal(problem);
      return values;
    },
    takes: `an object { ${Object.keys(parts).join(', ')} }`,
    json: { type: 'object' },
  };
}

function notAnObject(keys: readonly string[], given: unknown, origin: Origin): string {
  if (origin !== 'file') return `must be an object { ${keys.join(', ')} }`;
  if (given === null) return 'is empty: give it a key, or remove it';
  return `must be an object with ${keys.slice(0, 3).join(', ')}, …; got ${quoted(given)}`;
}
