import type { Writable } from 'node:stream';
import { HoldfastError } from '../../base/errors.js';
import type { Executor } from '../../runtime/executor.js';
import { traitsOf } from '../../runtime/queue/open-queue.js';
import type { AnyHandler } from '../../runtime/task/handlers.js';
import { changesInWords, type IdentityChange } from '../../runtime/identity.js';
import type { LeftInThread } from '../../runtime/left-in-threads.js';
import { printable, printableLines } from '../../base/printable.js';
import type { HeldTasks, Recovery } from '../../runtime/queue/contract.js';
import type { StopMessage } from '../../runtime/supervisor/messages.js';
import type { Outcome } from '../../runtime/task/task.js';
import { monotonicMs } from '../../base/monotonic.js';
import { together } from '../../runtime/teardowns.js';
import type { StartedExecutor } from '../../runtime/start-executor.js';
import { formatCount, formatDuration } from '../../base/units.js';
import { hasColor, painter } from '../screen/color.js';
import { Display, taskCount } from '../screen/display.js';
import { errorText, EXIT, exitCodeOfError, exitCodeOfSignal } from '../exit-code.js';
import type { Halt } from '../../options/halt-kind.js';
import type { FeedState } from './feed.js';
import type { ProgressData } from '../screen/progress.js';
import { RecentRate } from '../../base/recent-rate.js';
import { paceOf } from '../screen/pace.js';
import { whyHalt } from './halt.js';
import { openResultsFile } from './results-file.js';
import { isReaderGone, ResultsWriter } from './results-writer.js';
import type { RunFlags } from './run-flags.js';
import type { Carried, JobControl } from './job-control.js';
import { NamedTasks } from './named-tasks.js';
import { ended, exitCodeOf, formatSummary, leftOutText, summaryDocument, type RunSummary } from './summary.js';
import { inputText } from '../screen/task-name.js';
import { print } from '../screen/terminal.js';

/** Tasks that are named in one line. */
const MAX_NAMED = 5;

/** Failures that the summary may name. */
const MAX_FAILURES = 5;

/** Why a run ends before all its tasks have. */
type Ending =
  | { kind: 'signal'; signal: NodeJS.Signals }
  | { kind: 'drain' }
  | { kind: 'halt'; why: string }
  | { kind: 'error'; error: Error; exitCode: number };

/** One run of the command over its tasks: how it begins, and how it comes to its end. */
export class Job {
  readonly #flags: RunFlags;
  readonly #control: JobControl;
  readonly #executor: Executor;
  readonly #carried: Carried;
  readonly #display: Display;
  readonly #ended: Promise<void>;
  #tellEnded!: () => void;
  /** Aborted when the run is to end before all its tasks have. */
  readonly #abandoned = new AbortController();
  #ending: Ending | undefined;
  /** All has ended, or nothing more is waited for: it cannot be ended early any more. */
  #isOver = false;
  #results: ResultsWriter | undefined;
  /** What was told of records that could not be written. */
  readonly #damaged = new Set<string>();
  #fed: FeedState | undefined;
  readonly #rate = new RecentRate();
  /** What tasks left behind in the threads, if that was looked for. */
  #left: LeftInThread[] | undefined;

  /** @param httpPort of its health and metrics, if they are served */
  static async create(
    flags: RunFlags,
    control: JobControl,
    { executor, lastSeq = 0, change }: StartedExecutor<Record<string, AnyHandler>>,
    httpPort?: number,
  ): Promise<Job> {
    const counts = await executor.counts();
    if (control.carried !== undefined) keepUntornOfTheDead(control.carried, counts.done, executor.hasTeardown);
    const carried = control.carried ?? {
      startedAt: monotonicMs(),
      before: ended(counts),
      crashes: 0,
      failures: [],
      doneBefore: counts.done,
      beforeOrdinal: await executor.lastOrdinal(),
      tasksBefore: Object.values(counts).reduce((sum, count) => sum + count),
      lastSeq,
      compared: false,
      ...(httpPort !== undefined && { httpPort }),
    };
    const job = new Job(flags, control, executor, carried, await Display.create(flags));
    if (control.carried === undefined) job.#sayChange(change);
    return job;
  }

  private constructor(flags: RunFlags, control: JobControl, executor: Executor, carried: Carried, display: Display) {
    this.#flags = flags;
    this.#control = control;
    this.#executor = executor;
    this.#carried = carried;
    this.#display = display;
    this.#ended = new Promise((resolve) => (this.#tellEnded = resolve));
    display.listen(executor);
    this.#listen();
  }

  /** Called once when the run is to end before all its tasks have. */
  onEnding(listener: () => void): void {
    void this.#ended.then(listener);
  }

  /** The first signal lets what runs come to its end, a second one aborts it. */
  stop({ signal, force }: StopMessage): void {
    if (force) {
      const { graceMs } = this.#flags.executor;
      const again = traitsOf(this.#flags.executor).outlivesProcess ? '; they run again with the same command' : '';
      const key = signal === 'SIGINT' ? 'Ctrl-C' : signal;
      this.#display.say(
        `${signal} again: interrupted tasks have ${formatDuration(graceMs)} to stop${again}\n  ${key} once more ends all at once`,
      );
      // Not stopped: the summary still asks its queue.
      void this.#executor.interrupt();
    } else if (!this.#ending || this.#ending.kind === 'drain' || this.#ending.kind === 'halt') {
      this.#ending = undefined;
      this.#end({ kind: 'signal', signal });
      void this.#sayEnding(signal, `${signal === 'SIGINT' ? 'Ctrl-C' : signal} again interrupts them`);
    }
  }

  /** Another terminal asked for the end of the run. */
  drain(): void {
    if (this.#ending || this.#isOver) return;
    this.#end({ kind: 'drain' });
    // At once, so that whoever asked for it is told so.
    void this.#executor.drain();
    void this.#sayEnding('drain', 'the same command goes on with the rest');
  }

  /** Another terminal has more tasks. @throws HoldfastError `ERR_EXECUTOR_STOPPED` where nothing would run them */
  mayAdd(): void {
    if (!this.#ending && !this.#isOver) return;
    throw new HoldfastError('ERR_EXECUTOR_STOPPED', `run ${this.#executor.runId} is ending, and takes no more tasks`, {
      hint: 'Start it again with them.',
    });
  }

  /** Another terminal lets a paused run go on. One that ends already does so: its source is closed. */
  resume(): void {
    if (!this.#ending && !this.#isOver) this.#executor.resume();
  }

  /** The source is open, tasks are about to be taken. */
  async begin({ interrupted, crashed }: Recovery, state: FeedState): Promise<void> {
    for (const outcome of crashed) {
      this.#countForHalt(outcome.state);
      this.#keepFailure(outcome);
    }
    if (crashed.length > 0) this.#control.progressed();
    // Its predecessor may have died while it halted.
    if (this.#flags.halt !== undefined) this.#haltIfDue(this.#flags.halt);
    if (this.#control.carried === undefined) {
      await this.#sayWhereItStands(interrupted);
      this.#sayWhatIsLeftOut(state);
    }
    this.#control.carry(this.#carried);
    await this.#startResults();
    this.#fed = state;
    this.#display.follow(() => this.#progress(state));
  }

  /** Which tasks the input names, to be told by `feed`. */
  namedTasks(): NamedTasks {
    return new NamedTasks(this.#carried.lastSeq);
  }

  /** Waits for the end of the run, whichever it is; gives the exit code. */
  async finish(fed: Promise<void>): Promise<number> {
    const executor = this.#executor;
    const toItsEnd = async () => {
      await fed;
      if (this.#fed?.finished) await this.#compareInput(this.#fed);
      await executor.idle();
    };
    try {
      await Promise.race([toItsEnd(), this.#ended]);
    } catch (error) {
      this.#end({ kind: 'error', error: error as Error, exitCode: exitCodeOfError(error) });
    }
    this.#isOver = true;
    // What tasks left to their threads is written before the end is told. What it could not write is heard of as an event.
    await executor.tearDown();
    if (!this.#ending && this.#flags.failOnLeak) this.#left = await executor.leftPending();
    await this.#results?.close();
    this.close();
    return this.#conclude();
  }

  /** Takes the display away. Safe to call twice. */
  close(): void {
    this.#display.close();
  }

  #listen(): void {
    const executor = this.#executor;
    executor.once('outcome', () => this.#control.progressed());
    executor.on('outcome', (outcome) => {
      this.#countForHalt(outcome.state);
      // Without a result, it is as the queue holds it.
      if (outcome.state !== 'done') this.#keepFailure(outcome as Outcome);
    });
    executor.on('thread-died', () => {
      this.#carried.crashes++;
      this.#control.carry(this.#carried);
    });
    executor.on('teardown-failed', ({ cause, outcomes, tasks }) => {
      this.#carried.untorn = together(this.#carried.untorn, { threads: 1, outcomes, tasks, why: cause.message });
      this.#control.carry(this.#carried);
    });
    // Also by a module that loaded, and no longer does: nobody typed anything wrong.
    executor.on('failed', (error) => {
      // It weighs more than that the run was told to end.
      this.#ending = undefined;
      this.#end({ kind: 'error', error, exitCode: EXIT.failure });
    });
  }

  /** A task that somebody cancelled has not failed. */
  #countForHalt(state: Outcome['state']): void {
    const { halt } = this.#flags;
    if (halt === undefined) return;
    const soFar = (this.#carried.soFar ??= { ended: 0, failed: 0 });
    soFar.ended++;
    if (state === 'done' || state === 'cancelled') return;
    soFar.failed++;
    this.#control.carry(this.#carried);
    this.#haltIfDue(halt);
  }

  #haltIfDue(halt: Halt): void {
    const why = whyHalt(halt, this.#carried.soFar ?? { ended: 0, failed: 0 });
    if (why === undefined || this.#ending || this.#isOver) return;
    this.#end({ kind: 'halt', why });
    const rest = 'the same command goes on with the rest';
    if (halt.when === 'soon') {
      void this.#executor.drain();
      void this.#sayEnding(`halt: ${why}`, rest);
    } else {
      this.#display.say(`halt: ${why}: what runs is interrupted\n  ${rest}`);
      void this.#executor.interrupt();
    }
  }

  #keepFailure(outcome: Outcome): void {
    const { failures } = this.#carried;
    // It failed before, and was tried again.
    const known = failures.findIndex(({ id }) => id === outcome.id);
    if (known >= 0) failures[known] = outcome;
    else if (failures.length < MAX_FAILURES) failures.push(outcome);
    else return;
    this.#control.carry(this.#carried);
  }

  async #sayWhereItStands(interrupted: number): Promise<void> {
    const { before } = this.#carried;
    if (before > 0) this.#display.say(`run ${this.#executor.runId} continues: ${taskCount(before)} had ended before`);
    if (interrupted > 0) this.#display.say(`${taskCount(interrupted)} interrupted the last time: to be run again`);
    if (!this.#flags.retryFailed) return;
    const retried = await this.#executor.retry(['failed', 'crashed', 'timed-out', 'cancelled']);
    this.#carried.before -= retried;
    if (retried > 0) this.#display.say(`${taskCount(retried)} that did not end done: to be tried again`);
  }

  #sayWhatIsLeftOut({ leftOut, linksNotFollowed: links }: FeedState): void {
    if (leftOut.length > 0) this.#display.say(leftOutText(leftOut));
    if (links === 0) return;
    const what = links === 1 ? '1 link to a folder was' : `${formatCount(links)} links to folders were`;
    this.#display.say(`${what} not followed (--follow)`);
  }

  #sayChange(change: IdentityChange): void {
    const { runId } = this.#executor;
    for (const line of changesInWords(runId, change)) this.#display.warn(line);
    // It named lines by their numbers.
    if (change.ofEarlierVersion && this.#flags.source.kind !== 'each') {
      this.#display.warn(`an earlier version has begun run ${runId}: its tasks without an id of their own run anew`);
    }
  }

  /** The input is at its end: what of the run is not in it stays where it is, or runs with `--keep-queued`. */
  async #compareInput({ named }: FeedState): Promise<void> {
    const { tasksBefore, compared } = this.#carried;
    if (tasksBefore === 0) return;
    const { count, some } = await this.#executor.encoded.held(MAX_NAMED);
    if (!compared) {
      this.#display.say(`run ${this.#executor.runId}: ${named.comparedWith(tasksBefore)}`);
      if (count > 0) this.#sayAbsent(count, some);
      this.#carried.compared = true;
      this.#control.carry(this.#carried);
    }
    if (this.#flags.keepQueued) await this.#executor.encoded.letGo();
  }

  #sayAbsent(count: number, some: HeldTasks['some']): void {
    // The id of a line tells nobody which it was.
    const ofLines = this.#flags.source.kind === 'lines';
    const named = some.map(({ id, input }) => (ofLines ? inputText(input) : printable(id))).join(', ');
    const more = count > some.length ? `, and ${formatCount(count - some.length)} more` : '';
    const verb = count === 1 ? 'is' : 'are';
    const then = this.#flags.keepQueued ? 'they run all the same (--keep-queued)' : 'they stay queued';
    this.#display.say(`${taskCount(count)} of an earlier start ${verb} not in this input: ${named}${more}\n  ${then}`);
  }

  async #startResults(): Promise<void> {
    const { results } = this.#flags;
    if (results === undefined) return;
    const toStdout = results === '-';
    const stream = toStdout ? this.#control.data : await this.#openResults(results);
    if (stream === undefined) return;
    this.#results = new ResultsWriter(this.#executor, {
      stream,
      endsStream: !toStdout,
      // A file is written anew and holds the whole run; standard output gets what this command brings.
      afterOrdinal: toStdout ? this.#carried.beforeOrdinal : 0,
      skip: toStdout ? this.#control.linesBefore : 0,
      onDamaged: ({ message }) => {
        if (!this.#damaged.has(message)) this.#display.say(`--results: ${printable(message)}`);
        this.#damaged.add(message);
      },
      withInput: this.#flags.source.kind === 'lines',
      onBroken: (error) => {
        this.#end(
          isReaderGone(error)
            ? { kind: 'signal', signal: 'SIGPIPE' }
            : { kind: 'error', error, exitCode: EXIT.failure },
        );
      },
    });
  }

  /** `undefined`: the run is to end before anybody reads them. */
  #openResults(file: string): Promise<Writable | undefined> {
    return openResultsFile(file, {
      signal: this.#abandoned.signal,
      onWaiting: () =>
        this.#display.say(`--results: nobody reads the pipe ${printable(file)} yet: waiting for a reader`),
    });
  }

  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#abandoned.abort();
    this.#tellEnded();
  }

  async #sayEnding(why: string, how: string): Promise<void> {
    // One that has just stopped has nothing more to wait for.
    const status = await this.#executor.status().catch(() => undefined);
    if (status !== undefined) this.#display.sayEnding(why, status, how);
  }

  /** Those that were not tried again since. The id of a line tells nobody which it was. */
  async #failuresWithInput(): Promise<Outcome[]> {
    const { encoded } = this.#executor;
    const ofLines = this.#flags.source.kind === 'lines';
    const failures = await Promise.all(
      this.#carried.failures.map(async (failure) => {
        try {
          if (!(await encoded.isStill(failure))) return undefined;
          const input = ofLines ? await encoded.inputOf(failure.id) : undefined;
          return input === undefined ? failure : { ...failure, input };
        } catch {
          // A queue that has failed tells nothing.
          return failure;
        }
      }),
    );
    return failures.filter((failure) => failure !== undefined);
  }

  /** How many tasks wait that the input has not named. A queue that has failed tells none. */
  #heldBack(): Promise<number> {
    return this.#executor.encoded.held(0).then(
      ({ count }) => count,
      () => 0,
    );
  }

  async #progress(state: FeedState): Promise<ProgressData> {
    const { counts, threads, mode } = await this.#executor.status();
    const done = ended(counts);
    const held = await this.#heldBack();
    return {
      done,
      failed: done - counts.done,
      total: Math.max(done + counts.queued + counts.delayed + counts.running - held, state.total ?? 0),
      totalKnown: state.finished,
      running: counts.running,
      ...paceOf(this.#rate, { done, running: counts.running, mode }),
      busy: threads.filter((thread) => thread.state === 'busy').length,
      mode,
    };
  }

  async #conclude(): Promise<number> {
    const { statistics, threads, counts } = await this.#executor.status();
    const { leftOut = [] } = this.#fed ?? {};
    const whole = this.#fed?.finished ?? false;
    const summary: RunSummary = {
      runId: this.#executor.runId,
      counts,
      absent: whole ? await this.#heldBack() : 0,
      // Some of them may have been tried again.
      before: Math.min(this.#carried.before, ended(counts)),
      elapsedMs: monotonicMs() - this.#carried.startedAt,
      taskMs: statistics.taskMs ?? undefined,
      busy: statistics.busy,
      threads: threads.length,
      crashes: this.#carried.crashes,
      restarts: this.#control.restarts,
      failures: await this.#failuresWithInput(),
      ...(this.#ending?.kind === 'halt' && { halted: this.#ending.why }),
      ...(this.#carried.untorn && { untorn: this.#carried.untorn }),
      ...(this.#left && { leaks: this.#left }),
      ...(leftOut.length > 0 && { leftOut: { count: leftOut.length, first: leftOut.slice(0, MAX_FAILURES) } }),
    };
    const { quiet, json, color, fresh, executor } = this.#flags;
    if (!quiet) {
      const { outlivesProcess } = traitsOf(executor);
      const words = { color: hasColor(process.stderr, color), dir: executor.dir, outlivesProcess, whole, fresh };
      process.stderr.write(formatSummary(summary, words));
    }
    const document = json && printableLines(JSON.stringify(summaryDocument(summary)));
    const unread = document ? await print(this.#control.data, `${document}\n`) : undefined;
    switch (this.#ending?.kind) {
      case 'error':
        process.stderr.write(errorText(this.#ending.error));
        return this.#ending.exitCode;
      case 'signal':
        return exitCodeOfSignal(this.#ending.signal);
      default:
        if (unread !== undefined) return exitCodeOfSignal('SIGPIPE');
        if ((await this.#sayLeaks(summary.threads)) || this.#damaged.size > 0) return EXIT.failure;
        if (summary.untorn !== undefined) return EXIT.notAllDone;
        return exitCodeOf(counts, whole && leftOut.length === 0);
    }
  }

  /** Gives whether there are any. A thread that could not be looked at is none, and is told. */
  async #sayLeaks(threads: number): Promise<boolean> {
    if (this.#left === undefined || this.#left.length === 0) return false;
    const { leaksText } = await import('./leaks.js');
    const { any, text } = leaksText(this.#left, threads, painter(hasColor(process.stderr, this.#flags.color)));
    process.stderr.write(text);
    return any;
  }
}

/** What tasks had left in the threads of an executor that died is lost, where a module's `teardown` was to write it. */
function keepUntornOfTheDead(carried: Carried, done: number, hasTeardown: boolean): void {
  const outcomes = done - carried.doneBefore;
  carried.doneBefore = done;
  if (!hasTeardown || outcomes <= 0) return;
  carried.untorn = together(carried.untorn, { threads: 1, outcomes, tasks: [], why: 'their process died' });
}
