/** What a run comes to, in words and as data. */
import { printable } from '../../../base/printable.js';
import type { LeftInThread } from '../../../runtime/left-in-threads.js';
import type { Outcome, TaskCounts, TaskState } from '../../../runtime/task/task.js';
import { untornText, type TeardownLoss } from '../../../runtime/teardowns.js';
import { formatCount, formatDuration, formatRate } from '../../../base/units.js';
import { painter, type Color, type Paint } from '../../screen/color.js';
import type { LeftOut } from '../input/find-files.js';
import { taskName } from '../../screen/task-name.js';
import { commandFor } from '../../arguments/suggest-command.js';

export interface RunSummary {
  runId: string;
  /** Of all tasks of the run, those of earlier invocations included. */
  counts: TaskCounts;
  /** Tasks of earlier invocations that wait, and are not in the input of this one. */
  absent: number;
  /** Tasks that had their outcome before this invocation. */
  before: number;
  /** Since this invocation began. */
  elapsedMs: number;
  /** Of the last attempts at tasks that this executor saw end, in milliseconds; `undefined` if it saw none. */
  taskMs: { p50: number; p95: number; p99: number; max: number } | undefined;
  /** Share of the threads' time spent on tasks since this executor started, 0 to 1. */
  busy: number;
  threads: number;
  /** Threads or processes that died under a task. */
  crashes: number;
  /** Starts of the executor after the first. */
  restarts: number;
  /** Some outcomes that are not `done`, the first ones. */
  failures: readonly Outcome[];
  /** Why the run ended before all its tasks had, where `--halt` said so. */
  halted?: string;
  /** What may be lost, as threads ended without their `teardown`. */
  untorn?: TeardownLoss;
  /** With `--fail-on-leak`: what tasks left behind. */
  leaks?: readonly LeftInThread[];
  /** What was meant to be a task, and is none: how much there is of it, and the first of it. */
  leftOut?: { count: number; first: readonly LeftOut[] };
}

/** The closing summary of `runtime run --json`. */
export interface SummaryDocument extends Omit<RunSummary, 'taskMs' | 'failures'> {
  schema: 1;
  taskMs: RunSummary['taskMs'] | null;
  /** Outcomes of this invocation for each second of it. */
  perSecond: number;
  failures: {
    id: string;
    state: string;
    input?: unknown;
    error: { name: string; message: string; code?: string } | null;
  }[];
}

const NOT_DONE = ['failed', 'crashed', 'timed-out', 'cancelled'] as const;
const WAITING = ['queued', 'delayed', 'running'] as const;
const SHOWN_FAILURES = 5;
/** Of where a task stood, in characters: its end tells most, and is no longer than that. */
const MAX_STUCK_AT = 500;
/** Of why threads were not torn down, and whose work it concerns, in characters. */
const MAX_UNTORN = 1_000;

/** How many tasks have an outcome. */
export function ended(counts: TaskCounts): number {
  return counts.done + sum(counts, NOT_DONE);
}

/**
 * The exit code of a run that came to its end: 0 if every task of it is `done`, else 3.
 * @param whole whether all of the input was taken, and nothing of it left out
 */
export function exitCodeOf(counts: TaskCounts, whole: boolean): 0 | 3 {
  return whole && sum(counts, NOT_DONE) + sum(counts, WAITING) === 0 ? 0 : 3;
}

export function summaryDocument(summary: RunSummary): SummaryDocument {
  return {
    schema: 1,
    ...summary,
    taskMs: summary.taskMs ?? null,
    perSecond: perSecond(summary),
    failures: summary.failures.map(({ id, state, input, error }) => ({
      id,
      state,
      ...(typeof input === 'string' && { input: JSON.parse(input) as unknown }),
      error:
        error === undefined
          ? null
          : { name: error.name, message: error.message, ...(error.code && { code: error.code }) },
    })),
  };
}

export interface SummaryWords {
  color: boolean;
  /** The state folder, absolute. */
  dir: string;
  /** Whether the queue is still there when the process has ended. */
  outlivesProcess: boolean;
  /** Whether all of the input was taken. */
  whole: boolean;
  /** Whether the command says `--fresh`: typed again, it would start over. */
  fresh: boolean;
}

/** For standard error: lines for people, the last one with its newline. */
export function formatSummary(summary: RunSummary, words: SummaryWords): string {
  const paint = painter(words.color);
  const { counts, before, taskMs, crashes, restarts } = summary;
  const told = (states: readonly TaskState[], color: Color) =>
    states.filter((state) => counts[state] > 0).map((state) => paint(color, `${formatCount(counts[state])} ${state}`));
  const tasks = [...told(['done'], 'green'), ...told(NOT_DONE, 'red'), ...told(WAITING, 'yellow')];
  const now = ended(counts) - before;
  const rows: [string, string[]][] = [
    ['run', [summary.runId]],
    ['tasks', tasks.length > 0 ? tasks : ['none']],
    ['before', before > 0 ? [`${now === 0 ? 'all ' : ''}${formatCount(before)} had ended before this start`] : []],
    ['halted', summary.halted === undefined ? [] : [summary.halted]],
    ['elapsed', [formatDuration(summary.elapsedMs), ...(now > 0 ? [formatRate(perSecond(summary))] : [])]],
    ['task time', taskMs ? (['p50', 'p95', 'p99', 'max'] as const).map((at) => `${at} ${taskTime(taskMs[at])}`) : []],
    ['threads', now > 0 ? [`${summary.threads}, busy ${Math.round(summary.busy * 100)}% of the time`] : []],
    ['trouble', [...count(crashes, 'crash', 'crashes'), ...count(restarts, 'restart', 'restarts')]],
  ];
  const row = ([label, texts]: [string, string[]]) => `${paint('dim', label.padEnd(11))}${texts.join(', ')}`;
  const { count: left = 0, first = [] } = summary.leftOut ?? {};
  if (left > 0) rows.push(['left out', [`${formatCount(left)} of what --each matches`]]);
  const lines = [
    ...rows.filter(([, texts]) => texts.length > 0).map(row),
    ...first.map((each) => `  ${leftOutLine(each)}`),
    ...failureLines(summary, paint),
    ...(summary.untorn ? [`  ${paint('red', printable(untornText(summary.untorn), MAX_UNTORN))}`] : []),
    ...nextSteps(summary, words).map((step) => row(['next', [step]])),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** For the start of the run. */
export function leftOutText(leftOut: readonly LeftOut[]): string {
  const first = leftOut.slice(0, SHOWN_FAILURES);
  const more = leftOut.length > first.length ? [`and ${formatCount(leftOut.length - first.length)} more`] : [];
  const lines = [...first.map(leftOutLine), ...more].map((line) => `\n  ${line}`);
  return `--each leaves out ${formatCount(leftOut.length)} of what it matches:${lines.join('')}`;
}

function leftOutLine({ path, reason }: LeftOut): string {
  return `${printable(path)}: ${reason}`;
}

/** The histogram of times begins at a microsecond. */
function taskTime(ms: number): string {
  return ms < 0.01 ? '<0.01ms' : formatDuration(ms);
}

function failureLines({ failures }: RunSummary, paint: Paint): string[] {
  return failures.slice(0, SHOWN_FAILURES).flatMap(({ id, state, input, error }) => {
    const line = `  ${paint('red', state)} ${taskName(id, input)}${error === undefined ? '' : `: ${printable(error.message)}`}`;
    if (error?.stuckAt === undefined) return [line];
    return [line, `    ${paint('dim', printable(error.stuckAt, MAX_STUCK_AT))}`];
  });
}

/** What there is to type now. */
function nextSteps(summary: RunSummary, { dir, outlivesProcess, whole, fresh }: SummaryWords): string[] {
  const { runId, counts, before, failures, absent } = summary;
  const notDone = sum(counts, NOT_DONE);
  const left = sum(counts, WAITING) - absent;
  const same = fresh ? 'the same command without --fresh' : 'the same command';
  if (!outlivesProcess) {
    return left > 0 || !whole ? ['the queue was in memory: the same command starts over'] : [];
  }
  const steps: string[] = [];
  if (notDone > Math.min(failures.length, SHOWN_FAILURES)) {
    steps.push(`all that did not end done: ${commandFor(`results ${runId} --state not-done`, dir)}`);
  }
  if (left > 0) steps.push(`${same} goes on with the ${formatCount(left)} left`);
  else if (!whole) steps.push(`${same}, with the same input, goes on where this one stopped`);
  if (absent > 0) steps.push(`${same} with --keep-queued runs the ${formatCount(absent)} that are not in its input`);
  if (summary.untorn !== undefined)
    steps.push('what may be lost is recorded as done: the same command with --fresh runs all of it again');
  if (notDone > 0) steps.push(`${same} with --retry-failed tries ${formatCount(notDone)} again`);
  if (whole && left + absent === 0 && before > 0 && before === ended(counts))
    steps.push('nothing was left to do: the same command with --fresh starts over');
  return steps;
}

function perSecond({ counts, before, elapsedMs }: RunSummary): number {
  return elapsedMs > 0 ? Math.max(0, ended(counts) - before) / (elapsedMs / 1_000) : 0;
}

function sum(counts: TaskCounts, states: readonly TaskState[]): number {
  return states.reduce((total, state) => total + counts[state], 0);
}

function count(value: number, one: string, many: string): string[] {
  return value === 0 ? [] : [`${formatCount(value)} ${value === 1 ? one : many}`];
}
