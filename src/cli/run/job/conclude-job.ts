import { printableLines } from '../../../base/printable.js';
import { monotonicMs } from '../../../base/monotonic.js';
import type { Executor } from '../../../runtime/executor.js';
import type { LeftInThread } from '../../../runtime/left-in-threads.js';
import { traitsOf } from '../../../runtime/queue/open-queue.js';
import type { Outcome } from '../../../runtime/task/task.js';
import { errorText, EXIT, exitCodeOfSignal } from '../../exit-code.js';
import { hasColor, painter } from '../../screen/color.js';
import { print } from '../../screen/terminal.js';
import type { FeedState } from '../input/feed.js';
import type { JobControl, Carried } from './job-control.js';
import { heldBack } from './job-progress.js';
import type { RunFlags } from '../run-flags.js';
import { ended, exitCodeOf, formatSummary, summaryDocument, type RunSummary } from './summary.js';

/** What was left out of the input, as the summary names it. */
const MAX_LEFT_OUT = 5;

/** Why a run ends before all its tasks have. */
export type Ending =
  | { kind: 'signal'; signal: NodeJS.Signals }
  | { kind: 'drain' }
  | { kind: 'halt'; why: string }
  | { kind: 'error'; error: Error; exitCode: number };

/** What a job has come to. */
export interface JobEnd {
  flags: RunFlags;
  control: JobControl;
  executor: Executor;
  carried: Carried;
  /** `undefined`: all of its tasks have their outcomes. */
  ending: Ending | undefined;
  /** `undefined`: no input was read. */
  fed: FeedState | undefined;
  /** What tasks left behind in the threads, if that was looked for. */
  left: LeftInThread[] | undefined;
  /** Whether outcomes could not be written to where they were asked for. */
  isDamaged: boolean;
}

/** Prints the summary; gives the exit code. */
export async function concludeJob(end: JobEnd): Promise<number> {
  const { flags, control, ending, fed, left, isDamaged } = end;
  const summary = await summaryOf(end);
  const { quiet, json, color, fresh, executor } = flags;
  const whole = fed?.finished ?? false;
  if (!quiet) {
    const { outlivesProcess } = traitsOf(executor);
    const words = { color: hasColor(process.stderr, color), dir: executor.dir, outlivesProcess, whole, fresh };
    process.stderr.write(formatSummary(summary, words));
  }
  const document = json && printableLines(JSON.stringify(summaryDocument(summary)));
  const unread = document ? await print(control.data, `${document}\n`) : undefined;
  switch (ending?.kind) {
    case 'error':
      process.stderr.write(errorText(ending.error));
      return ending.exitCode;
    case 'signal':
      return exitCodeOfSignal(ending.signal);
    default:
      if (unread !== undefined) return exitCodeOfSignal('SIGPIPE');
      if ((await sayLeaks(left, summary.threads, color)) || isDamaged) return EXIT.failure;
      if (summary.untorn !== undefined) return EXIT.notAllDone;
      return exitCodeOf(summary.counts, whole && summary.leftOut === undefined);
  }
}

async function summaryOf({ flags, control, executor, carried, ending, fed, left }: JobEnd): Promise<RunSummary> {
  const { statistics, threads, counts } = await executor.status();
  const { leftOut = [], finished = false } = fed ?? {};
  return {
    runId: executor.runId,
    counts,
    absent: finished ? await heldBack(executor) : 0,
    // Some of them may have been tried again.
    before: Math.min(carried.before, ended(counts)),
    elapsedMs: monotonicMs() - carried.startedAt,
    taskMs: statistics.taskMs ?? undefined,
    busy: statistics.busy,
    threads: threads.length,
    crashes: carried.crashes,
    restarts: control.restarts,
    failures: await failuresToName(executor, carried.failures, flags.source.kind === 'lines'),
    ...(ending?.kind === 'halt' && { halted: ending.why }),
    ...(carried.untorn && { untorn: carried.untorn }),
    ...(left && { leaks: left }),
    ...(leftOut.length > 0 && { leftOut: { count: leftOut.length, first: leftOut.slice(0, MAX_LEFT_OUT) } }),
  };
}

/** Those that were not tried again since. @param withInput as the id of a line tells nobody which it was */
async function failuresToName(
  { encoded }: Executor,
  failures: readonly Outcome[],
  withInput: boolean,
): Promise<Outcome[]> {
  const named = await Promise.all(
    failures.map(async (failure) => {
      try {
        if (!(await encoded.isStill(failure))) return undefined;
        const input = withInput ? await encoded.inputOf(failure.id) : undefined;
        return input === undefined ? failure : { ...failure, input };
      } catch {
        // A queue that has failed tells nothing.
        return failure;
      }
    }),
  );
  return named.filter((failure) => failure !== undefined);
}

/** Gives whether there are any. A thread that could not be looked at is none, and is told. */
async function sayLeaks(left: LeftInThread[] | undefined, threads: number, color: boolean): Promise<boolean> {
  if (left === undefined || left.length === 0) return false;
  const { leaksText } = await import('./leaks.js');
  const { any, text } = leaksText(left, threads, painter(hasColor(process.stderr, color)));
  process.stderr.write(text);
  return any;
}
