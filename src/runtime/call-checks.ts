/** The options of single calls of an executor. */
import { HoldfastError } from '../base/errors.js';
import { quoted } from '../base/faults.js';
import { mustBe, type Check, type Checks } from '../base/option-checks.js';
import type { OutcomeState } from './task/task.js';

const OUTCOME_STATES: readonly OutcomeState[] = ['done', 'failed', 'crashed', 'timed-out', 'cancelled'];
const STATES: readonly (OutcomeState | 'not-done')[] = [...OUTCOME_STATES, 'not-done'];

export const MAP_CHECKS: Checks = new Map<string, Check>([
  [
    'window',
    (value) => mustBe(Number.isSafeInteger(value) && (value as number) > 0, 'a whole number of at least 1', value),
  ],
]);

export const STOP_CHECKS: Checks = new Map<string, Check>([
  ['force', (value) => mustBe(typeof value === 'boolean', 'true or false', value)],
]);

export const OUTCOME_CHECKS: Checks = new Map<string, Check>([
  ['withInput', (value) => mustBe(typeof value === 'boolean', 'true or false', value)],
]);

export const FILTER_CHECKS: Checks = new Map<string, Check>([
  ...OUTCOME_CHECKS,
  ['state', (value) => mustBe(STATES.includes(value as OutcomeState), `one of ${STATES.join(', ')}`, value)],
  [
    'afterOrdinal',
    (value) => mustBe(Number.isSafeInteger(value) && (value as number) >= 0, 'a whole number of at least 0', value),
  ],
]);

/** @throws HoldfastError `ERR_INVALID_OPTIONS` unless all of them are states of outcomes */
export function checkStates(states: readonly OutcomeState[]): void {
  const wrong = Array.isArray(states) ? states.find((state) => !OUTCOME_STATES.includes(state)) : states;
  if (wrong === undefined) return;
  const problem = `states must be some of ${OUTCOME_STATES.join(', ')}, got ${quoted(wrong)}`;
  throw new HoldfastError('ERR_INVALID_OPTIONS', problem);
}

export function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= 1024) return;
  throw new HoldfastError(
    'ERR_INVALID_OPTIONS',
    `threads must be a whole number from 1 to 1024, got ${String(threads)}`,
  );
}
