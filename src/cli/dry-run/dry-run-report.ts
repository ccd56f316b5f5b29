/** What a dry run came to, in words. */
import type { Percentiles } from '../../base/duration-summary.js';
import type { DryRunReport } from '../../dryrun/measure/report.js';
import type { OutcomeState } from '../../runtime/task/task.js';
import { formatCount, formatDuration, formatRate } from '../../base/units.js';
import { printable } from '../../base/printable.js';
import { painter, type Paint } from '../screen/color.js';
import { bar, sparkline } from '../screen/sparkline.js';
import { commandFor } from '../arguments/suggest-command.js';

export interface ReportWords {
  color: boolean;
  /** The state folder, absolute. */
  dir: string;
  /** Whether the queue is still there when the process has ended. */
  outlivesProcess: boolean;
}

const BAR_WIDTH = 40;

/** For standard output: lines for people, the last one with its newline. */
export function formatReport(report: DryRunReport, words: ReportWords): string {
  const paint = painter(words.color);
  const { byType, perSecond, latencyMs, arrivalLagMs, startLagMs } = report;
  const row = (label: string, text: string) => `${paint('dim', label.padEnd(11))}${text}`.trimEnd();
  const times = (label: string, percentiles: Percentiles | null, what: string) =>
    percentiles === null ? [] : [row(label, `${percentilesText(percentiles)}  ${paint('dim', what)}`)];
  const types = Object.entries(byType).map(([type, count]) => `${formatCount(count)} ${printable(type)}`);
  const lines = [
    row('dry run', planText(report)),
    row('events', [formatCount(report.events), ...(types.length > 1 ? [types.join(', ')] : [])].join(': ')),
    row('outcomes', outcomesText(report, paint)),
    row(
      'throughput',
      `${formatRate(perSecond.planned)} planned, ${formatRate(perSecond.actual)} actual, in ${formatDuration(report.elapsedMs)}`,
    ),
    ...times('submitted', arrivalLagMs, 'after the planned instant'),
    ...times('started', startLagMs, 'after the planned instant'),
    ...times('latency', latencyMs, 'planned instant to durable outcome'),
    ...timelineLines(report, row),
    ...latencyLines(report, row),
    ...nextSteps(report, words).map((step) => row('next', step)),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function planText({ pattern, rate, seed, burstSize, count, durationMs, stoppedBy }: DryRunReport): string {
  const size =
    burstSize && (burstSize.min === burstSize.max ? String(burstSize.min) : `${burstSize.min} to ${burstSize.max}`);
  return [
    `${pattern} at ${formatRate(rate)}`,
    ...(size === null ? [] : [`bursts of ${size}`]),
    durationMs === null ? `${formatCount(count!)} events` : `for ${formatDuration(durationMs)}`,
    `seed ${seed}`,
    ...(stoppedBy === null ? [] : [`stopped by ${stoppedBy}`]),
  ].join(', ');
}

function outcomesText({ outcomes, unfinished, lost, duplicates }: DryRunReport, paint: Paint): string {
  const told = Object.entries(outcomes)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => paint(state === 'done' ? 'green' : 'red', `${formatCount(count)} ${state}`));
  const zeroIsGood = (count: number, what: string) =>
    paint(count === 0 ? 'green' : 'red', `${formatCount(count)} ${what}`);
  return [
    ...told,
    ...(unfinished === 0 ? [] : [paint('yellow', `${formatCount(unfinished)} without one`)]),
    zeroIsGood(lost, 'lost'),
    zeroIsGood(duplicates, 'duplicates'),
  ].join(', ');
}

function percentilesText({ p50, p95, p99, max }: Percentiles): string {
  return Object.entries({ p50, p95, p99, max })
    .map(([name, ms]) => `${name} ${formatDuration(ms)}`)
    .join(', ');
}

function timelineLines({ timeline, events }: DryRunReport, row: (label: string, text: string) => string): string[] {
  if (events === 0) return [];
  const { columnMs, planned, actual } = timeline;
  const max = Math.max(...planned, ...actual);
  const isAll = planned.reduce((sum, count) => sum + count, 0) === events;
  const span = isAll ? '' : `the first ${formatDuration(planned.length * columnMs)}, `;
  return [
    row('arrivals', `${span}a column is ${formatDuration(columnMs)}, the highest ${formatCount(max)}`),
    row('  planned', sparkline(planned, max)),
    row('  actual', sparkline(actual, max)),
  ];
}

function latencyLines({ latencyHistogram }: DryRunReport, row: (label: string, text: string) => string): string[] {
  const max = Math.max(...latencyHistogram.map(({ count }) => count));
  const limits = latencyHistogram.map(({ upToMs }) => `to ${formatDuration(upToMs)}`);
  const width = Math.max(...limits.map((limit) => limit.length));
  return latencyHistogram.map(({ count }, index) =>
    row(
      index === 0 ? 'latencies' : '',
      `${limits[index]!.padEnd(width)}  ${bar(count, max, BAR_WIDTH)} ${formatCount(count)}`,
    ),
  );
}

function nextSteps(
  { runId, outcomes, events, unfinished }: DryRunReport,
  { dir, outlivesProcess }: ReportWords,
): string[] {
  if (!outlivesProcess || outcomes.done + unfinished === events) return [];
  const states = Object.keys(outcomes).filter((state) => state !== 'done' && outcomes[state as OutcomeState] > 0);
  if (states.length === 0) return [];
  const state = states.length === 1 ? states[0]! : 'not-done';
  return [`what became of them: ${commandFor(`results ${runId} --state ${state}`, dir)}`];
}
