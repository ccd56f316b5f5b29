import type { Fault } from '../base/errors.js';
import { didYouMean, quoted } from '../base/faults.js';
import type { Option, Options, Origin, ValueOf, ValuesOf } from './option.js';
import { attempt } from './refusal.js';

/**
 * Checks what is given for a table of options, and fills in the defaults. All
 * faults come together, in the order of the table, those of unknown keys last.
 */
export function readOptions<Rows extends Options>(
  rows: Rows,
  given: unknown,
  origin: Origin,
): { values: ValuesOf<Rows>; faults: Fault[] } {
  const values: Record<string, unknown> = {};
  if (!isObject(given)) {
    const problem = `must be an object, got ${quoted(given)}`;
    return { values: values as ValuesOf<Rows>, faults: [{ where: '', problem }] };
  }
  const faults: Fault[] = [];
  for (const [key, row] of Object.entries(rows)) {
    const found = attempt(() => readOption(row, (given as Record<string, unknown>)[key], origin));
    if ('value' in found) values[key] = found.value;
    else
      for (const { where, problem } of found.faults) faults.push({ where: where ? `${key}.${where}` : key, problem });
  }
  for (const key in given) {
    if (Object.hasOwn(rows, key)) continue;
    faults.push({ where: key, problem: `is unknown${didYouMean(key, Object.keys(rows))}` });
  }
  return { values: values as ValuesOf<Rows>, faults };
}

export function isObject(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

/** @throws Refusal, or HoldfastError for a text that cannot be parsed */
export function readOption<Row extends Option>(row: Row, given: unknown, origin: Origin): ValueOf<Row> {
  const { takes, unset, required } = row as Option;
  const value = () => {
    if (given !== undefined || required) return takes.read(given, origin);
    if (unset === undefined) return undefined;
    return takes.read(typeof unset === 'function' ? (unset as () => unknown)() : unset, 'code');
  };
  return value() as ValueOf<Row>;
}
