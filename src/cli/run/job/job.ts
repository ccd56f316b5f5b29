import { monotonicMs } from '../../../base/monotonic.js';
import { formatCount, formatDuration } from '../../../base/units.js';
import type { Halt } from '../../../options/halt-kind.js';
import type { Executor } from '../../../runtime/executor.js';
import type { LeftInThread } from '../../../runtime/left-in-threads.js';
import type { Recovery } from '../../../runtime/queue/contract.js';
import { traitsOf } from '../../../runtime/queue/open-queue.js';
import type { StartedExecutor } from '../../../runtime/start-executor.js';
import type { StopMessage } from '../../../runtime/supervisor/messages.js';
import type { AnyHandler } from '../../../runtime/task/handlers.js';
import type { Outcome } from '../../../runtime/task/task.js';
import { together } from '../../../runtime/teardowns.js';
import { EXIT, exitCodeOfError } from '../../exit-code.js';
import { Display } from '../../screen/display.js';
import { concludeJob, type Ending } from './conclude-job.js';
import { EarlierStarts } from './earlier-starts.js';
import type { FeedState } from '../input/feed.js';
import { whyHalt } from './halt.js';
import type { Carried, JobControl } from './job-control.js';
import { jobProgress } from './job-progress.js';
import { NamedTasks } from './named-tasks.js';
import { isReaderGone } from '../results/results-writer.js';
import type { RunFlags } from '../run-flags.js';
import { RunResults } from '../results/run-results.js';
import { ended, leftOutText } from './summary.js';

/** Failures that the summary may name. */
const MAX_FAILURES = 5;

/** One run of the command over its tasks: how it begins, and how it comes to its end. */
export class Job {
  readonly #flags: RunFlags;
  readonly #control: JobControl;
  readonly #executor: Executor;
  readonly #carried: Carried;
  readonly #display: Display;
  readonly #earlier: EarlierStarts;
  readonly #ended: Promise<void>;
  #tellEnded!: () => void;
  /** Aborted when the run is to end before all its tasks have. */
  readonly #abandoned = new AbortController();
  #ending: Ending | undefined;
  /** All has ended, or nothing more is waited for: it cannot be ended early any more. */
  #isOver = false;
  #results: RunResults | undefined;
  #fed: FeedState | undefined;
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
    const soFar = control.carried?.soFar;
    // What ended well was not handed on.
    if (soFar !== undefined) soFar.ended = Math.max(soFar.ended, ended(counts) - control.carried!.before);
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
    // Its predecessor died while it halted: nothing more is started. That it halts is said once it has begun.
    if (flags.halt !== undefined && whyHalt(flags.halt, carried.soFar) !== undefined) void executor.drain();
    const job = new Job(flags, control, executor, carried, await Display.create(flags));
    if (control.carried === undefined) job.#earlier.sayChange(change);
    return job;
  }

  private constructor(flags: RunFlags, control: JobControl, executor: Executor, carried: Carried, display: Display) {
    this.#flags = flags;
    this.#control = control;
    this.#executor = executor;
    this.#carried = carried;
    this.#display = display;
    this.#earlier = new EarlierStarts({ flags, control, executor, carried, display });
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
    if (this.isEnding()) return;
    this.#end({ kind: 'drain' });
    // At once, so that whoever asked for it is told so.
    void this.#executor.drain();
    void this.#sayEnding('drain', 'the same command goes on with the rest');
  }

  /** Whether nothing that comes now would be run. */
  isEnding(): boolean {
    return this.#ending !== undefined || this.#isOver;
  }

  /** Another terminal lets a paused run go on. One that ends already does so: its source is closed. */
  resume(): void {
    if (!this.isEnding()) this.#executor.resume();
  }

  /** The source is open, tasks are about to be taken. */
  async begin({ interrupted, crashed }: Recovery, state: FeedState): Promise<void> {
    for (const outcome of crashed) {
      this.#countForHalt(outcome.state);
      this.#keepFailure(outcome);
    }
    if (crashed.length > 0) this.#control.progressed();
    if (this.#flags.halt !== undefined) this.#haltIfDue(this.#flags.halt);
    if (this.#control.carried === undefined) {
      await this.#earlier.takeUp(interrupted);
      this.#sayWhatIsLeftOut(state);
    }
    this.#control.carry(this.#carried);
    this.#results = await RunResults.start({
      flags: this.#flags,
      control: this.#control,
      executor: this.#executor,
      carried: this.#carried,
      display: this.#display,
      signal: this.#abandoned.signal,
      onBroken: (error) => {
        const gone: Ending = { kind: 'signal', signal: 'SIGPIPE' };
        this.#end(isReaderGone(error) ? gone : { kind: 'error', error, exitCode: EXIT.failure });
      },
    });
    this.#fed = state;
    this.#display.follow(jobProgress(this.#executor, state));
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
      if (this.#fed?.finished) await this.#earlier.compareInput(this.#fed);
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
    return concludeJob({
      flags: this.#flags,
      control: this.#control,
      executor,
      carried: this.#carried,
      ending: this.#ending,
      fed: this.#fed,
      left: this.#left,
      isDamaged: this.#results?.isDamaged ?? false,
    });
  }

  /** Takes the display away. Safe to call twice. */
  close(): void {
    this.#display.close();
  }

  #listen(): void {
    const executor = this.#executor;
    executor.once('recorded', () => this.#control.progressed());
    executor.on('recorded', (outcome) => {
      this.#countForHalt(outcome.state);
      if (outcome.state !== 'done') this.#keepFailure(outcome);
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

  /** Another terminal had tasks taken back that had failed: `--halt` counts them no longer. */
  retried(count: number): void {
    const { soFar } = this.#carried;
    if (soFar === undefined) return;
    soFar.ended = Math.max(0, soFar.ended - count);
    soFar.failed = Math.max(0, soFar.failed - count);
    this.#control.carry(this.#carried);
  }

  #haltIfDue(halt: Halt): void {
    const why = whyHalt(halt, this.#carried.soFar);
    if (why === undefined || this.isEnding()) return;
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

  #sayWhatIsLeftOut({ leftOut, linksNotFollowed: links }: FeedState): void {
    if (leftOut.length > 0) this.#display.say(leftOutText(leftOut));
    if (links === 0) return;
    const what = links === 1 ? '1 link to a folder was' : `${formatCount(links)} links to folders were`;
    this.#display.say(`${what} not followed (--follow)`);
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
}

/** What tasks had left in the threads of an executor that died is lost, where a module's `teardown` was to write it. */
function keepUntornOfTheDead(carried: Carried, done: number, hasTeardown: boolean): void {
  const outcomes = done - carried.doneBefore;
  carried.doneBefore = done;
  if (!hasTeardown || outcomes <= 0) return;
  carried.untorn = together(carried.untorn, { threads: 1, outcomes, tasks: [], why: 'their process died' });
}
