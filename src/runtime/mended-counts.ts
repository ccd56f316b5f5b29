import type { MendedCount } from './queue/contract.js';
import { formatCount } from '../base/units.js';

/** As a warning; `undefined` where nothing was wrong. */
export function mendedCounts(mended: readonly MendedCount[]): Error | undefined {
  if (mended.length === 0) return undefined;
  const counts = mended.map(({ state, was, is }) => `${formatCount(is)} ${state}, not ${formatCount(was)}`);
  return new Error(`the counts of the queue disagreed with its tasks, and were mended: ${counts.join('; ')}`);
}
