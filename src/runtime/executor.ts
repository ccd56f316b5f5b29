import { join } from 'node:path';
import { atExit } from '../base/at-exit.js';
import { CarefulEmitter } from '../base/careful-emitter.js';
import { encodedTasks, type EncodedTasks } from './encoded-tasks.js';
import { checkThreads, FILTER_CHECKS, MAP_CHECKS, OUTCOME_CHECKS, STOP_CHECKS } from './call-checks.js';
import type { HoldfastError } from '../base/errors.js';
import { lockLostError, stoppedError } from './executor-errors.js';
import type { ExecutorEvents } from './executor-events.js';
import type { ExecutorParts, MapOptions, StopOptions } from './executor-parts.js';
import type { HandlerInput, HandlerName, HandlerResult, AnyHandler } from './task/handlers.js';
import { Health } from './health/health.js';
import { HEALTH_FILE } from '../system/state-dir.js';
import { IdleWaiters } from './idle-waiters.js';
import { leftInThreads, type LeftInThread } from './left-in-threads.js';
import type { ProcessLock } from '../system/lock/process-lock.js';
import { now } from './thread/board.js';
import { mendedCounts } from './mended-counts.js';
import { mapBounded } from '../base/map-bounded.js';
import { checkOptions } from '../base/option-checks.js';
import type { ResolvedOptions } from './options.js';
import type { Dispatcher } from './pool/dispatcher.js';
import { RollCall } from './pool/watch/roll-call.js';
import type { AddedTask, ClaimedTask, Settlement, TaskQueue, OutcomeFilter } from './queue/contract.js';
import { idOf } from './queue/generated-id.js';
import { quiet } from './pool/quiet.js';
import { relay, retryingOf } from './relay.js';
import { countsForBeat } from './queue-beat.js';
import { closeQueue, logLeftBehind } from './run-folder.js';
import { Statistics } from './statistics.js';
import { newTask, newTasks, type SubmitOptions, type TaskToEnqueue } from './task/new-task.js';
import { statusOfThreads, summaryOfThreads } from './thread-status.js';
import type { ExecutorMode, ExecutorStatus, ProbeAnswers } from './status.js';
import { Teardowns, type Untorn } from './teardowns.js';
import { StoppingMark } from './stopping-mark.js';
import { Submissions } from './submissions.js';
import { isWellFormed } from './task/task-id.js';
import { decodeOutcome, outcomeOf, OutcomeView, type TaskOutcome } from './task/task-outcome.js';
import type { NewTask, OutcomeState, TaskCounts } from './task/task.js';
import { WatchedTasks } from './watched-tasks.js';

/** A look whether a task that was neither in the queue nor on a thread has arrived costs a transaction. */
const IN_BETWEEN_MS = 5;

/**
 * One run, from start to stop: holds its lock, brings tasks to threads, and
 * records what became of them. Made by `createExecutor`.
 *
 * An executor that is idle does not keep the process alive.
 */
export class Executor<Module = Record<string, AnyHandler>> extends CarefulEmitter<ExecutorEvents> {
  readonly runId: string;
  /** Folder of the run's state, absolute. */
  readonly runDir: string;
  /** Names of the functions that the module exports. */
  readonly handlers: ReadonlySet<string>;
  /** @internal */
  readonly encoded: EncodedTasks;
  readonly #options: ResolvedOptions;
  readonly #holds: boolean;
  readonly #lock: ProcessLock;
  readonly #queue: TaskQueue;
  readonly #dispatcher: Dispatcher;
  readonly #submissions: Submissions;
  readonly #watched: WatchedTasks;
  readonly #statistics = new Statistics();
  readonly #teardowns: Teardowns;
  readonly #stoppingMark: StoppingMark;
  readonly #health: Health;
  readonly #idleWaiters = new IdleWaiters();
  readonly #release: () => void;
  readonly #forgetExit: () => void;
  #mode: ExecutorMode = 'running';
  #error: Error | undefined;
  #tornDown = false;
  #stopping: Promise<void> | undefined;

  constructor({ options, runDir, lock, release, queue, dispatcher, handlers, holds }: ExecutorParts) {
    super();
    this.runId = options.runId;
    this.runDir = runDir;
    this.handlers = handlers;
    this.#options = options;
    this.#holds = holds;
    this.#lock = lock;
    this.#stoppingMark = new StoppingMark(lock);
    this.#release = release;
    this.#queue = queue;
    this.#dispatcher = dispatcher;
    this.#submissions = new Submissions(queue, () => dispatcher.wake());
    this.encoded = encodedTasks(queue, this.#submissions, dispatcher);
    this.#watched = new WatchedTasks(this.#submissions, (id) => this.cancel(id));
    this.#teardowns = new Teardowns(dispatcher, this);
    relay(dispatcher, this.#watched, this);
    dispatcher.on('settled', (tasks, settlements, ordinals) => this.#onSettled(tasks, settlements, ordinals));
    dispatcher.on('idle', () => void this.#tellIdle());
    dispatcher.on('broken', (error) => this.#fail(error));
    dispatcher.on('thread-died', ({ number }, cause, tasks) => {
      this.#health.threadDied(number, cause);
      this.emit('thread-died', { thread: number, cause, tasks: tasks.map(idOf) });
    });
    dispatcher.on('thread-unended', (thread) => this.emit('thread-unended', thread));
    lock.on('lost', ({ reason }) => this.#fail(lockLostError(lock.path, reason, this.runId)));
    this.#forgetExit = atExit(release);
    const rollCall = new RollCall(dispatcher.pool, { stallAfter: options.stallAfterMs });
    this.#health = new Health(
      {
        runId: options.runId,
        file: join(runDir, HEALTH_FILE),
        keep: queue.traits.outlivesProcess,
        mode: () => this.#mode,
        threads: () => summaryOfThreads(dispatcher),
        counts: () => countsForBeat(queue, (error) => this.#fail(error)),
        rollCall: (withinMs) => rollCall.call(withinMs),
        mayWrite: () => lock.stillHeld(),
      },
      {
        onBeat: (beat) => this.emit('beat', beat),
        onMissed: (event) => this.emit('beat-missed', event),
        onUnwritable: (error) => this.emit('warning', new Error(`health cannot be written: ${error.message}`)),
      },
    );
    this.#health.start();
  }

  /** Whether the module has a `teardown`. @internal */
  get hasTeardown(): boolean {
    return this.#dispatcher.pool.threads.some((thread) => thread.hasTeardown);
  }

  get mode(): ExecutorMode {
    return this.#mode;
  }

  /** Why it failed, if it did. */
  get error(): Error | undefined {
    return this.#error;
  }

  /**
   * Runs a task; resolves with what its handler returned, once that is recorded.
   * Values travel as structured clones.
   *
   * Rejects with `TaskError` when the task did not end `done` (its `code` tells
   * how), `ERR_HANDLER_MISSING`, `ERR_VALUE_NOT_CLONEABLE`, `ERR_TASK_CONFLICT`,
   * `ERR_INVALID_TASK`, an error of the queue, or `ERR_EXECUTOR_STOPPED`: then
   * the task is still queued, and the next executor of this run id goes on with it.
   * With `options.signal`, also with the reason of the abort.
   */
  submit<Name extends HandlerName<Module>>(
    handler: Name,
    input: HandlerInput<Module, Name>,
    options?: SubmitOptions,
  ): Promise<HandlerResult<Module, Name>> {
    let task: NewTask;
    try {
      task = newTask(this.handlers, handler, input, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const watched = options?.signal !== undefined || options?.onProgress !== undefined;
    const result = watched ? this.#watched.resultOf(task, options) : this.#submissions.resultOf(task);
    return result as Promise<HandlerResult<Module, Name>>;
  }

  /**
   * Runs a task for each input, and yields their outcomes in the order of the
   * inputs; a task that failed is an outcome, not an exception. Reads no more
   * than `window` inputs ahead, so a source of millions never sits in memory.
   * Ending the loop early closes the source, and leaves the tasks already read
   * in the queue.
   *
   * Throws what `submit` rejects with before a task has its outcome, and
   * `ERR_INVALID_OPTIONS` for an unknown option, or a window that is no whole number from 1.
   */
  async *map<Name extends HandlerName<Module>>(
    handler: Name,
    inputs: Iterable<HandlerInput<Module, Name>> | AsyncIterable<HandlerInput<Module, Name>>,
    options: MapOptions = {},
  ): AsyncGenerator<TaskOutcome<HandlerResult<Module, Name>>, void, undefined> {
    checkOptions('map', options, MAP_CHECKS);
    const { window = Math.max(1000, 4 * this.#options.threads * this.#options.concurrency) } = options;
    const run = async (input: HandlerInput<Module, Name>) =>
      this.#submissions.outcomeOf(newTask(this.handlers, handler, input));
    for await (const outcome of mapBounded(inputs, run, window)) yield decodeOutcome(outcome);
  }

  /**
   * Puts tasks into the queue without waiting for their outcomes: resolves once
   * they are on disk, so that a server may answer 202. What they come to is told
   * by the event `outcome`, and by `outcome(id)`; nothing is thrown for a task
   * that fails later.
   *
   * Gives what became of each, in order: `added`; `duplicate`, the same task was
   * there; `conflict`, its id is taken by a task with another handler or input,
   * and nothing changed. All of one call are added, or none.
   *
   * Rejects with `ERR_INVALID_TASK` and every fault of all tasks (an unknown
   * handler or option, an input that cannot be cloned): then none was added.
   * Else as `submit`, before a task has its outcome.
   */
  async enqueue(tasks: readonly TaskToEnqueue<Module>[]): Promise<AddedTask[]> {
    this.#submissions.refuseIfClosed();
    return this.#submissions.add(newTasks(this.handlers, tasks));
  }

  /**
   * Cancels a task: one that waits is recorded as `cancelled` at once, one that
   * runs has its signal aborted, and its thread ended if it does not stop within
   * the grace. Resolves with false when the task is unknown or has its outcome.
   */
  async cancel(id: string): Promise<boolean> {
    if (typeof id !== 'string' || !isWellFormed(id)) return false;
    for (;;) {
      if (this.#dispatcher.cancel(id)) return true;
      const onItsWay = this.#submissions.holds(id);
      const { found, cancelled } = await this.#queue.cancel(id);
      if (cancelled) {
        this.#statistics.record(cancelled.outcome);
        this.#submissions.deliver(cancelled.seq, cancelled.outcome);
        this.emit('outcome', new OutcomeView(cancelled.outcome), cancelled.outcome.ordinal);
        void this.#tellIdle();
        return true;
      }
      if (found !== 'running' && !onItsWay) return false;
      // Between its submission and the queue, the queue and a thread, or back. Mostly it is here or there in a moment, but an
      // attempt that has ended is not told of before its thread is done with a task that never yields.
      await new Promise((resolve) => setTimeout(resolve, IN_BETWEEN_MS));
    }
  }

  /** Takes no more tasks from the queue until `resume`. What runs goes on; `submit` still accepts. */
  pause(): void {
    if (this.#mode !== 'running') return;
    this.#setMode('paused');
    void this.#dispatcher.close();
  }

  /** Goes on after `pause` or `drain`; does nothing after `tearDown`. */
  resume(): void {
    if ((this.#mode !== 'paused' && this.#mode !== 'draining') || this.#tornDown) return;
    this.#setMode('running');
    this.#dispatcher.reopen();
  }

  /** Takes no more tasks from the queue, and resolves when none is running. What waits stays in the queue. */
  async drain(): Promise<void> {
    if (this.#mode === 'running' || this.#mode === 'paused') this.#setMode('draining');
    await this.#dispatcher.close();
    await quiet(this.#dispatcher);
  }

  /** Drains, and aborts what runs, as `stop` with `force` does; but its queue can still be asked. @internal */
  async interrupt(): Promise<void> {
    const drained = this.drain();
    this.#dispatcher.abortAll();
    await drained;
  }

  /**
   * Drains, and calls the `teardown` of the module in each thread, as `stop` does.
   * Gives what may be lost, as some of them failed; `stop` does not tell that again.
   *
   * From then on it only drains: no `resume` and no `scale` brings threads back. As
   * after `drain`, what is submitted waits in the queue for the next executor.
   */
  async tearDown(): Promise<Untorn | undefined> {
    this.#tornDown = true;
    await this.drain();
    await this.#dispatcher.tearDown();
    return this.#teardowns.tell();
  }

  /** Resolves once every accepted task has its outcome; rejects when the executor fails or stops before. */
  idle(): Promise<void> {
    if (this.#error || this.#stopping) return Promise.reject(this.#error ?? this.#stopped());
    const idle = this.#idleWaiters.wait();
    void this.#tellIdle();
    return idle;
  }

  /**
   * Changes the number of threads; surplus ones finish what they have. Resolves once new ones have loaded.
   *
   * Rejects with `ERR_INVALID_OPTIONS` unless it is a whole number from 1 to 1024, with `ERR_HANDLER_MODULE`
   * when the module does not load any more, and with `ERR_EXECUTOR_STOPPED` or why the executor failed.
   */
  async scale(threads: number): Promise<void> {
    checkThreads(threads);
    if (this.#error || this.#stopping) throw this.#error ?? this.#stopped();
    try {
      await this.#dispatcher.pool.scale(threads);
    } catch (error) {
      // Threads that were just loading end with the executor.
      throw this.#stopping ? this.#stopped() : error;
    }
  }

  /**
   * Ends the executor: lets what runs come to its end, or with `force` aborts
   * its signals and, after the grace, ends its threads; interrupted tasks are
   * ready again. Then releases the lock. What waits stays in the queue, and
   * those who wait for it get `ERR_EXECUTOR_STOPPED`. A second call may add force.
   *
   * A thread cannot be ended while native code in it does not return (`execSync`,
   * a pipe that nobody writes to). It is waited for no longer than 2 s, and told of
   * as `thread-unended`. `process.exit()` would wait for it; a signal ends the
   * process all the same: `process.kill(process.pid, 'SIGKILL')`.
   *
   * Rejects with `ERR_INVALID_OPTIONS` for an unknown option, and stops nothing then.
   * Rejects, all the same stopped, with what went wrong meanwhile: when an outcome
   * could not be recorded (an error of the queue; its task is ready again), the
   * lock was lost, or the `teardown` of the module failed in a thread (`ERR_TEARDOWN`).
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions('stop', options, STOP_CHECKS);
    this.#stopping ??= this.#stop();
    if (options.force) this.#dispatcher.abortAll();
    await this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The outcome of a task, `undefined` if it has none (yet). `withInput`: together with what the task was given. */
  async outcome(id: string, options?: { withInput?: boolean }): Promise<TaskOutcome | undefined> {
    checkOptions('outcome', options, OUTCOME_CHECKS);
    if (typeof id !== 'string' || !isWellFormed(id)) return undefined;
    const found = await this.#queue.outcome(id, options);
    return found && decodeOutcome(found);
  }

  /**
   * Outcomes in the order they were recorded; streamed, so that millions need no
   * memory. Those recorded meanwhile are in; it ends when it has caught up.
   * Throws `ERR_INVALID_OPTIONS` for an unknown filter, or errors of the queue.
   */
  async *outcomes(filter?: OutcomeFilter): AsyncGenerator<TaskOutcome & { ordinal: number }, void, undefined> {
    checkOptions('outcomes', filter, FILTER_CHECKS);
    for await (const outcome of this.#queue.outcomes(filter)) {
      yield Object.assign(new OutcomeView(outcome), { ordinal: outcome.ordinal });
    }
  }

  /** The ordinal of the outcome that was recorded last; 0: none yet. */
  lastOrdinal(): Promise<number> {
    return this.#queue.lastOrdinal();
  }

  /** Writes into the lock's details where this executor can be steered. */
  announce(controlSocket: string): void {
    this.#lock.describe({ controlSocket });
  }

  counts(): Promise<TaskCounts> {
    return this.#queue.counts();
  }

  /**
   * Async functions in the threads that nobody waits for and that have not ended: what tasks left behind,
   * and tasks that still run. Each thread stands still for it, a few tenths of a second where its heap is
   * small. Only functions of your own are found, not those of packages. And streams to files (of `node:fs`)
   * that are open now, whoever made them: also those that the module's `teardown` would end.
   */
  leftPending(): Promise<LeftInThread[]> {
    return leftInThreads(this.#dispatcher.pool);
  }

  /** Makes tasks with one of these outcomes ready again, as if they had never run; gives their number. */
  async retry(states: readonly OutcomeState[]): Promise<number> {
    // They are of an earlier start, perhaps of one whose tasks were held back.
    const [retried] = await Promise.all([this.#queue.retry(states), this.#holds ? undefined : this.#queue.letGo()]);
    this.#dispatcher.wake();
    return retried;
  }

  async status(): Promise<ExecutorStatus> {
    const { pool } = this.#dispatcher;
    const counts = await this.#queue.counts();
    const due = counts.delayed > 0 ? await this.#queue.nextDue() : undefined;
    return {
      runId: this.runId,
      mode: this.#mode,
      epoch: this.#queue.epoch,
      counts,
      nextDueMs: due === undefined ? null : Math.max(0, due - now()),
      threads: statusOfThreads(this.#dispatcher),
      statistics: this.#statistics.snapshot(pool.busyMs, pool.readyMs),
      health: this.#health.status,
      ...(this.#error && {
        error: { code: (this.#error as { code?: string }).code, message: this.#error.message },
      }),
    };
  }

  /** What the probes are told: asks nobody, so it is told at once. */
  probe(): ProbeAnswers {
    return this.#health.probe();
  }

  #onSettled(tasks: readonly ClaimedTask[], settlements: readonly Settlement[], ordinals: readonly number[]): void {
    let recorded = 0;
    const heard = this.listenerCount('outcome') > 0;
    const hearsRetries = this.listenerCount('retrying') > 0;
    for (let i = 0; i < tasks.length; i++) {
      const settlement = settlements[i]!;
      if (settlement.kind !== 'outcome') {
        if (hearsRetries && settlement.kind === 'retry') this.emit('retrying', retryingOf(tasks[i]!, settlement));
        continue;
      }
      const ordinal = ordinals[recorded++]!;
      this.#statistics.record(settlement);
      this.#health.settled(settlement);
      this.#submissions.settle(tasks[i]!, settlement);
      if (heard) this.emit('outcome', new OutcomeView(outcomeOf(tasks[i]!, settlement)), ordinal);
    }
  }

  #setMode(mode: ExecutorMode): void {
    this.#mode = mode;
    this.#stoppingMark.set(mode === 'draining' || mode === 'stopping');
    this.emit('mode-changed', mode);
    void this.#health.modeChanged();
  }

  #fail(error: Error): void {
    if (this.#error || this.#mode === 'stopped') return;
    this.#error = error;
    this.#health.failed(error);
    // Then `stop` tells it.
    if (this.#mode === 'stopping') return;
    this.#setMode('failed');
    this.#submissions.close(error);
    void this.#dispatcher.close();
    void quiet(this.#dispatcher).then(() => this.#submissions.abandon(error));
    this.#idleWaiters.reject(error);
    this.emit('failed', error);
  }

  /** Whether somebody waits for an end that may have come. What has begun meanwhile ends, and then it is asked again. */
  get #isWaitedFor(): boolean {
    return this.#idleWaiters.size > 0 && this.#dispatcher.idle && this.#submissions.pending === 0;
  }

  async #tellIdle(): Promise<void> {
    if (!this.#isWaitedFor) return;
    try {
      const [{ queued, delayed, running }, held] = await Promise.all([this.#queue.counts(), this.#queue.held(0)]);
      if (!this.#isWaitedFor) return;
      // Here nothing is running: who says so counts wrong, and would have all that wait do so for ever.
      const mended = mendedCounts(await this.#queue.audit(running > 0 ? 'all' : 'waiting'));
      if (mended !== undefined) {
        this.emit('warning', mended);
        this.#dispatcher.wake();
        void this.#tellIdle();
        return;
      }
      if (!this.#isWaitedFor || queued + delayed + running > held.count) return;
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#idleWaiters.resolve();
  }

  async #stop(): Promise<void> {
    const told = this.#error;
    this.#setMode('stopping');
    const error = told ?? this.#stopped();
    this.#submissions.close(error);
    this.#idleWaiters.reject(error);
    try {
      await this.#dispatcher.close();
      await quiet(this.#dispatcher);
      this.#submissions.abandon(this.#error ?? error);
      await this.#health.stop();
      await this.#dispatcher.end();
      const stillOurs = () => this.#lock.stillHeld();
      const kept = await closeQueue(this.#queue, this.runDir, stillOurs).catch((trouble: Error) => this.#fail(trouble));
      const log = this.#queue.traits.outlivesProcess ? logLeftBehind(this.runDir) : undefined;
      if (log !== undefined) this.emit('warning', log);
      if (kept !== false) await this.#health.writeLast();
    } finally {
      this.#forgetExit();
      this.#release();
      this.#setMode('stopped');
    }
    // What went wrong before was told when it did.
    if (this.#error !== undefined && this.#error !== told) throw this.#error;
    this.#teardowns.throwUntold();
  }

  #stopped(): HoldfastError {
    return stoppedError(this.runId, this.#queue.traits);
  }
}
