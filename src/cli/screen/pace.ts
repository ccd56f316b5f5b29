import type { RecentRate } from '../../base/recent-rate.js';
import type { ProgressData } from './progress.js';

/** What progress shows of it. Where nothing is to end, while it is paused or a retry is due later, nothing is unusual. */
export function paceOf(
  rate: RecentRate,
  { done, running, mode }: Pick<ProgressData, 'done' | 'running' | 'mode'>,
  at = performance.now(),
): Pick<ProgressData, 'ratePerSecond' | 'silentMs'> {
  if (mode === 'paused') rate.restart();
  rate.add(done, at);
  return { ratePerSecond: rate.perSecond(at), silentMs: running > 0 ? rate.silentMs(at) : undefined };
}
