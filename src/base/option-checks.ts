/** Checks of the options of single calls. They cost next to nothing, as `submit` makes them for each task. */
import { InvalidInputError, type Fault } from './errors.js';
import { didYouMean, quoted } from './faults.js';

/** What is wrong with a value, if anything is. */
export type Check = (value: unknown) => string | undefined;

/** One check for each option there is. */
export type Checks = ReadonlyMap<string, Check>;

const NONE: readonly Fault[] = [];

/** All that is wrong with options, an unknown one told with the known one it resembles. */
export function optionFaults(options: unknown, checks: Checks): readonly Fault[] {
  if (options === undefined) return NONE;
  if (typeof options !== 'object' || options === null) {
    return [{ where: 'options', problem: `must be an object, got ${quoted(options)}` }];
  }
  let faults: Fault[] | undefined;
  for (const key of Object.keys(options)) {
    const check = checks.get(key);
    const value = (options as Record<string, unknown>)[key];
    if (check !== undefined && value === undefined) continue;
    const problem = check === undefined ? `is unknown${didYouMean(key, checks.keys())}` : check(value);
    if (problem !== undefined) (faults ??= []).push({ where: key, problem });
  }
  return faults ?? NONE;
}

/** @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault */
export function checkOptions(call: string, options: unknown, checks: Checks): void {
  const faults = optionFaults(options, checks);
  if (faults.length > 0) {
    throw new InvalidInputError('ERR_INVALID_OPTIONS', `these options of ${call} are not valid`, faults);
  }
}

export function mustBe(right: boolean, what: string, value: unknown): string | undefined {
  return right ? undefined : `must be ${what}, got ${quoted(value)}`;
}
