/** What a run comes to, in words and as data. */
import type { Outcome, TaskCounts, TaskState } from '../runtime/task.js';
import { formatCount, formatDuration, formatRate } from '../runtime/units.js';
import { painter, type Color, type Paint } from './color.js';

export interface RunSummary {
  runId: string;
  /** Of all tasks of the run, those of earlier invocations included. */
  counts: TaskCounts;
  /** Tasks that had their outcome before this invocation. */
  before: number;
  /** Since this invocation began. */
  elapsedMs: number;
  /** Of the attempts of this invocation, in milliseconds; `undefined` if there were none. */
  taskMs: { p50: number; p95: number; p99: number } | undefined;
  /** Share of the threads' time spent on tasks, 0 to 1. */
  busy: number;
  threads: number;
  /** Threads or processes that died under a task. */
  crashes: number;
  /** Starts of the executor after the first. */
  restarts: number;
  /** Some outcomes that are not `done`, the first ones. */
  failures: readonly Outcome[];
}

/** The closing summary of `runtime run --json`. */
export interface SummaryDocument extends Omit<RunSummary, 'taskMs' | 'failures'> {
  schema: 1;
  taskMs: RunSummary['taskMs'] | null;
  /** Outcomes of this invocation for each second of it. */
  perSecond: number;
  failures: { id: string; state: string; error: { name: string; message: string; code?: string } | null }[];
}

const NOT_DONE = ['failed', 'crashed', 'timed-out', 'cancelled'] as const;
const WAITING = ['queued', 'delayed', 'running'] as const;
const SHOWN_FAILURES = 5;

/** The exit code of a run that came to its end: 0 if every task of it is `done`, else 3. */
export function exitCodeOf(counts: TaskCounts): 0 | 3 {
  return sum(counts, NOT_DONE) + sum(counts, WAITING) === 0 ? 0 : 3;
}

export function summaryDocument(summary: RunSummary): SummaryDocument {
  return {
    schema: 1,
    ...summary,
    taskMs: summary.taskMs ?? null,
    perSecond: perSecond(summary),
    failures: summary.failures.map(({ id, state, error }) => ({
      id,
      state,
      error: error === undefined ? null : { name: error.name, message: error.message, ...(error.code && { code: error.code }) },
    })),
  };
}

/** For standard error: lines for people, the last one with its newline. */
export function formatSummary(summary: RunSummary, options: { color: boolean }): string {
  const paint = painter(options.color);
  const { counts, before, taskMs, crashes, restarts } = summary;
  const told = (states: readonly TaskState[], color: Color) =>
    states.filter((state) => counts[state] > 0).map((state) => paint(color, `${formatCount(counts[state])} ${state}`));
  const rows = [
    ['run', summary.runId],
    ['tasks', [paint('green', `${formatCount(counts.done)} done`), ...told(NOT_DONE, 'red'), ...told(WAITING, 'yellow')]],
    ['before', before > 0 ? `${formatCount(before)} had ended before this start` : []],
    ['elapsed', `${formatDuration(summary.elapsedMs)}, ${formatRate(perSecond(summary))}`],
    ['task time', taskMs ? (['p50', 'p95', 'p99'] as const).map((p) => `${p} ${formatDuration(taskMs[p])}`) : []],
    ['threads', `${summary.threads}, busy ${Math.round(summary.busy * 100)}% of the time`],
    ['trouble', [...count(crashes, 'crash', 'crashes'), ...count(restarts, 'restart', 'restarts')]],
  ] as const;
  const lines = rows
    .filter(([, words]) => words.length > 0)
    .map(([label, words]) => `${paint('dim', label.padEnd(11))}${[words].flat().join(', ')}`);
  return [...lines, ...failureLines(summary, paint)].map((line) => `${line}\n`).join('');
}

function failureLines({ runId, counts, failures }: RunSummary, paint: Paint): string[] {
  const shown = failures.slice(0, SHOWN_FAILURES);
  const lines = shown.map(
    ({ id, state, error }) =>
      `  ${paint('red', state)} ${printable(id)}${error === undefined ? '' : `: ${printable(error.message)}`}`,
  );
  const more = sum(counts, NOT_DONE) - shown.length;
  if (more <= 0) return lines;
  // The states of those that are not shown are not known here: the largest group is the one to look at.
  const state = NOT_DONE.reduce((most, each) => (counts[each] > counts[most] ? each : most));
  return [...lines, `  and ${formatCount(more)} more: runtime results ${runId} --state ${state}`];
}

/** Of a text from a task: its first line, cut, and with nothing in it that steers a terminal. */
function printable(text: string): string {
  const line = text.split('\n', 1)[0]!.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\uFFFD');
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

function perSecond({ counts, before, elapsedMs }: RunSummary): number {
  const ended = counts.done + sum(counts, NOT_DONE) - before;
  return elapsedMs > 0 ? Math.max(0, ended) / (elapsedMs / 1_000) : 0;
}

function sum(counts: TaskCounts, states: readonly TaskState[]): number {
  return states.reduce((total, state) => total + counts[state], 0);
}

function count(value: number, one: string, many: string): string[] {
  return value === 0 ? [] : [`${formatCount(value)} ${value === 1 ? one : many}`];
}
