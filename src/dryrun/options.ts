import type { Fault } from '../base/errors.js';
import { DRY_RUN_OPTIONS } from '../options/dry-run-options.js';
import { having, variablesOf } from '../options/option.js';

/** The variables of the environment that stand behind options. */
export const DRY_RUN_ENV = variablesOf(having('config', DRY_RUN_OPTIONS));

/** What is wrong with options only in company. */
export function faultsTogether(given: { count?: unknown; duration?: unknown } | null): Fault[] {
  if (given?.count === undefined || given.duration === undefined) return [];
  return [{ where: 'count and duration', problem: 'a dry run ends by one of them' }];
}
