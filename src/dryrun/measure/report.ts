/** What a dry run came to, as data: what `runtime dry-run --json` prints. */
import type { Percentiles } from '../../base/duration-summary.js';
import type { Bucket } from './durations.js';
import type { Measurements } from './measurements.js';
import type { BurstSize, Pattern } from '../plan/patterns.js';
import type { Plan } from '../plan/plan.js';
import type { Tally } from './tally.js';
import type { Timeline } from './timeline.js';

export interface DryRunReport extends Tally {
  schema: 1;
  runId: string;
  pattern: Pattern;
  /** Mean events a second. */
  rate: number;
  seed: number;
  /** Of the pattern `burst`, else `null`. */
  burstSize: BurstSize | null;
  /** What was to end it. */
  count: number | null;
  durationMs: number | null;
  /** The signal, or the request, that ended it before. */
  stoppedBy: string | null;
  /** Events whose planned instant came, all of them submitted. */
  events: number;
  byType: Record<string, number>;
  /** From the start to the last outcome, ms. */
  elapsedMs: number;
  /** Events a second: as planned, and as outcomes were recorded. */
  perSecond: { planned: number; actual: number };
  /** Planned instant to submission, ms. */
  arrivalLagMs: Percentiles | null;
  /** Planned instant to the start of the handler, ms. */
  startLagMs: Percentiles | null;
  /** Planned instant to the durable outcome, ms. */
  latencyMs: Percentiles | null;
  latencyHistogram: Bucket[];
  /** Arrivals at the beginning. */
  timeline: Timeline;
}

export function reportOf(
  plan: Plan,
  measurements: Measurements,
  tally: Tally,
  { runId, stoppedBy }: { runId: string; stoppedBy: string | undefined },
): DryRunReport {
  const { pattern, rate, seed, burstSize, count, durationMs } = plan;
  const { submitted, ended, lastEndMs } = measurements;
  const span = stoppedBy === undefined ? (durationMs ?? (count! * 1_000) / rate) : measurements.arrivalsMs;
  return {
    schema: 1,
    runId,
    pattern,
    rate,
    seed,
    burstSize: pattern === 'burst' ? burstSize : null,
    count: count ?? null,
    durationMs: durationMs ?? null,
    stoppedBy: stoppedBy ?? null,
    events: submitted,
    byType: measurements.byType,
    ...tally,
    elapsedMs: lastEndMs,
    perSecond: { planned: perSecond(submitted, span), actual: perSecond(ended, Math.max(span, lastEndMs)) },
    arrivalLagMs: measurements.arrivalLag.percentiles(),
    startLagMs: measurements.startLag.percentiles(),
    latencyMs: measurements.latency.percentiles(),
    latencyHistogram: measurements.latency.buckets(),
    timeline: measurements.timeline.snapshot(),
  };
}

function perSecond(events: number, ms: number): number {
  return ms > 0 ? (events * 1_000) / ms : 0;
}
