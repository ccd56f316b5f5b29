import type { Executor } from '../runtime/executor.js';
import type { Recovery } from '../runtime/queue/contract.js';
import type { StopMessage } from '../runtime/supervisor/messages.js';
import type { Outcome, TaskCounts } from '../runtime/task.js';
import { formatCount } from '../runtime/units.js';
import { hasColor } from './color.js';
import { errorText, exitCodeOfError, exitCodeOfSignal } from './exit-code.js';
import type { FeedState } from './feed.js';
import { createLog, type Log } from './log.js';
import { createProgress, type Progress } from './progress.js';
import { ResultsWriter } from './results-writer.js';
import type { RunFlags } from './run-flags.js';
import type { Carried, JobControl } from './run-job.js';
import { exitCodeOf, formatSummary, summaryDocument } from './summary.js';

/** How often progress is shown, in ms. */
const PROGRESS_INTERVAL_MS = 100;

/** Failures that the summary may name. */
const MAX_FAILURES = 5;

/** Running tasks that are named when the run is told to stop. */
const MAX_NAMED = 5;

/** Why a run ends before all its tasks have. */
type Ending = { kind: 'signal'; signal: NodeJS.Signals } | { kind: 'drain' } | { kind: 'error'; error: Error };

/** What is shown of a run while it goes on, and how it comes to its end. */
export class Job {
  readonly #flags: RunFlags;
  readonly #control: JobControl;
  readonly #executor: Executor;
  readonly #carried: Carried;
  readonly #progress: Progress;
  readonly #log: Log;
  readonly #ended: Promise<void>;
  #tellEnded!: () => void;
  #ending: Ending | undefined;
  #results: ResultsWriter | undefined;
  #shown: NodeJS.Timeout | undefined;

  static async create(flags: RunFlags, control: JobControl, executor: Executor): Promise<Job> {
    const carried = control.carried ?? {
      startedAt: Date.now(),
      before: ended(await executor.counts()),
      crashes: 0,
      failures: [],
      printedOrdinal: await executor.lastOrdinal(),
    };
    const progress = await createProgress({ quiet: flags.quiet, color: flags.color });
    return new Job(flags, control, executor, carried, progress);
  }

  private constructor(flags: RunFlags, control: JobControl, executor: Executor, carried: Carried, progress: Progress) {
    this.#flags = flags;
    this.#control = control;
    this.#executor = executor;
    this.#carried = carried;
    this.#progress = progress;
    this.#log = createLog({ quiet: flags.quiet, color: flags.color, print: progress.print });
    this.#ended = new Promise((resolve) => (this.#tellEnded = resolve));
    this.#listen();
  }

  /** Called once when the run is to end before all its tasks have. */
  onEnding(listener: () => void): void {
    void this.#ended.then(listener);
  }

  /** The first signal lets what runs come to its end, a second one aborts it. */
  stop({ signal, force }: StopMessage): void {
    if (force) {
      this.#say(`${signal} again: stopping at once; interrupted tasks are ready again`);
      void this.#executor.stop({ force: true });
    } else if (!this.#ending) {
      this.#end({ kind: 'signal', signal });
      void this.#tellWaiting(signal, 'the same signal again stops at once');
    }
  }

  /** Another terminal asked for the end of the run. */
  drain(): void {
    if (this.#ending) return;
    this.#end({ kind: 'drain' });
    void this.#tellWaiting('drain', 'the same command continues the run');
  }

  /** The source is open, tasks are about to be taken. */
  async begin({ interrupted, crashed }: Recovery, state: FeedState): Promise<void> {
    for (const outcome of crashed) this.#keepFailure(outcome);
    if (crashed.length > 0) this.#control.progressed();
    if (this.#control.carried === undefined) {
      if (this.#flags.retryFailed) await this.#retryFailed();
      if (this.#carried.before > 0) this.#say(`run ${this.#executor.runId} continues: ${formatCount(this.#carried.before)} tasks have ended before`);
      if (interrupted > 0) this.#say(`${formatCount(interrupted)} tasks were interrupted the last time and run again`);
    }
    this.#control.carry(this.#carried);
    this.#openResults();
    this.#shown = setInterval(() => void this.#show(state), PROGRESS_INTERVAL_MS);
  }

  /** Waits for the end of the run, whichever it is; gives the exit code. */
  async finish(fed: Promise<void>): Promise<number> {
    const executor = this.#executor;
    try {
      await Promise.race([fed.then(() => executor.idle()), this.#ended]);
    } catch (error) {
      this.#end({ kind: 'error', error: error as Error });
    }
    if (this.#ending) await executor.drain();
    await this.#results?.close();
    this.close();
    return this.#conclude();
  }

  /** Takes the display away. Safe to call twice. */
  close(): void {
    clearInterval(this.#shown);
    this.#progress.stop();
  }

  #listen(): void {
    const executor = this.#executor;
    executor.once('outcome', () => this.#control.progressed());
    executor.on('outcome', (outcome) => {
      if (outcome.state !== 'done') this.#keepFailure(outcome);
    });
    executor.on('log', ({ level, message, fields, taskId, thread }) => {
      if (level !== 'debug') this.#log[level]({ task: taskId, thread, ...fields }, message);
    });
    executor.on('output', (text) => this.#progress.print(text.endsWith('\n') ? text : `${text}\n`));
    executor.on('thread-died', ({ thread, cause, tasks }) => {
      this.#carried.crashes++;
      this.#control.carry(this.#carried);
      this.#log.warn({ thread, tasks: tasks.slice(0, MAX_NAMED) }, `thread died: ${cause.message}`);
    });
    executor.on('thread-silent', ({ thread, taskId, silentMs }) => {
      const seconds = Math.round(silentMs / 1000);
      this.#log.warn({ thread, task: taskId }, `thread silent for ${seconds} s: its event loop does not turn`);
    });
    executor.on('failed', (error) => this.#end({ kind: 'error', error }));
  }

  #keepFailure(outcome: Outcome): void {
    if (this.#carried.failures.length >= MAX_FAILURES) return;
    this.#carried.failures.push(outcome);
    this.#control.carry(this.#carried);
  }

  async #retryFailed(): Promise<void> {
    const retried = await this.#executor.retry(['failed', 'crashed', 'timed-out', 'cancelled']);
    this.#carried.before -= retried;
    this.#say(`${formatCount(retried)} tasks that had not ended done are tried again`);
  }

  #openResults(): void {
    const { results } = this.#flags;
    if (results === undefined) return;
    const toStdout = results === '-';
    this.#results = new ResultsWriter(this.#executor, {
      target: results,
      // A file is written anew and holds the whole run; what was printed is printed.
      afterOrdinal: toStdout ? this.#carried.printedOrdinal : 0,
      onWritten: (ordinal) => {
        if (!toStdout) return;
        this.#carried.printedOrdinal = ordinal;
        this.#control.carry(this.#carried);
      },
      onBroken: (error) => {
        const readerGone = toStdout && (error as { code?: string }).code === 'EPIPE';
        this.#end(readerGone ? { kind: 'signal', signal: 'SIGPIPE' } : { kind: 'error', error });
      },
    });
  }

  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#tellEnded();
  }

  #say(text: string): void {
    if (!this.#flags.quiet) this.#progress.print(`${text}\n`);
  }

  async #tellWaiting(why: string, hint: string): Promise<void> {
    const { threads } = await this.#executor.status();
    const running = threads.flatMap((thread) => thread.running.map(({ id }) => id));
    const named = running.slice(0, MAX_NAMED).join(', ');
    const more = running.length > MAX_NAMED ? ` and ${running.length - MAX_NAMED} more` : '';
    const waiting = running.length === 0 ? 'nothing is running' : `waiting for ${running.length} running: ${named}${more}`;
    this.#say(`${why}: ${waiting} (${hint})`);
  }

  async #show(state: FeedState): Promise<void> {
    const executor = this.#executor;
    const counts = await executor.counts();
    const { threads } = await executor.status();
    const done = ended(counts);
    this.#progress.update({
      done,
      failed: done - counts.done,
      total: Math.max(done + counts.queued + counts.delayed + counts.running, state.total ?? 0),
      totalKnown: state.finished,
      running: counts.running,
      ratePerSecond: (done - this.#carried.before) / Math.max(0.001, (Date.now() - this.#carried.startedAt) / 1000),
      busy: threads.filter((thread) => thread.state === 'busy').length,
    });
  }

  async #conclude(): Promise<number> {
    const { statistics, threads } = await this.#executor.status();
    const counts = await this.#executor.counts();
    const summary = {
      runId: this.#executor.runId,
      counts,
      before: this.#carried.before,
      elapsedMs: Date.now() - this.#carried.startedAt,
      taskMs: statistics.taskMs ?? undefined,
      busy: statistics.busy,
      threads: threads.length,
      crashes: this.#carried.crashes,
      restarts: this.#control.restarts,
      failures: this.#carried.failures,
    };
    if (ended(counts) > 0 && ended(counts) === this.#carried.before && !this.#ending) {
      this.#say('nothing was left to do; the same command with --fresh starts over, with --retry-failed tries failed tasks again');
    }
    if (!this.#flags.quiet) process.stderr.write(formatSummary(summary, { color: hasColor(process.stderr, this.#flags.color) }));
    if (this.#flags.json) process.stdout.write(`${JSON.stringify(summaryDocument(summary))}\n`);
    switch (this.#ending?.kind) {
      case 'error':
        process.stderr.write(errorText(this.#ending.error));
        return exitCodeOfError(this.#ending.error);
      case 'signal':
        return exitCodeOfSignal(this.#ending.signal);
      default:
        return exitCodeOf(counts);
    }
  }
}

function ended(counts: TaskCounts): number {
  return counts.done + counts.failed + counts.crashed + counts['timed-out'] + counts.cancelled;
}
