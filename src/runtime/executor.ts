import { CarefulEmitter } from '../base/careful-emitter.js';
import { encodedTasks, type EncodedTasks } from './encoded-tasks.js';
import { checkStates, checkThreads, FILTER_CHECKS, MAP_CHECKS, OUTCOME_CHECKS, STOP_CHECKS } from './call-checks.js';
import type { ExecutorEvents } from './executor-events.js';
import { ExecutorLife } from './executor-life.js';
import type { ExecutorParts, MapOptions, OutcomeOptions, OutcomesOptions, StopOptions } from './executor-parts.js';
import type { HandlerInput, HandlerName, HandlerResult, AnyHandler } from './task/handlers.js';
import { leftInThreads, type LeftInThread } from './left-in-threads.js';
import type { ProcessLock } from '../system/lock/process-lock.js';
import { now } from './thread/board.js';
import { mapBounded } from '../base/map-bounded.js';
import { checkOptions } from '../base/option-checks.js';
import type { ResolvedOptions } from './options.js';
import type { Dispatcher } from './pool/dispatcher.js';
import type { TaskQueue } from './queue/contract.js';
import { announceOutcome, relay } from './relay.js';
import { Statistics } from './statistics.js';
import { newTask, newTasks, type EnqueuedTask, type SubmitOptions, type TaskToEnqueue } from './task/new-task.js';
import { statusOfThreads } from './thread-status.js';
import type { ExecutorMode, ExecutorStatus, ProbeAnswers } from './status.js';
import type { TeardownLoss } from './teardowns.js';
import { Submissions } from './submissions.js';
import { isWellFormed } from './task/task-id.js';
import { decodeOutcome, outcomeToTell, type RecordedOutcome, type TaskOutcome } from './task/task-outcome.js';
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
  /** As it was given to `createExecutor`. */
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
  readonly #life: ExecutorLife;

  /** @internal */
  constructor(parts: ExecutorParts) {
    super();
    const { options, runDir, lock, queue, dispatcher, handlers, holds } = parts;
    this.runId = options.runId;
    this.runDir = runDir;
    this.handlers = handlers;
    this.#options = options;
    this.#holds = holds;
    this.#lock = lock;
    this.#queue = queue;
    this.#dispatcher = dispatcher;
    this.#submissions = new Submissions(queue);
    this.encoded = encodedTasks(queue, this.#submissions);
    this.#watched = new WatchedTasks(this.#submissions, (id) => this.cancel(id));
    this.#life = new ExecutorLife(parts, this.#submissions, this);
    relay(dispatcher, this, {
      watched: this.#watched,
      submissions: this.#submissions,
      statistics: this.#statistics,
      health: this.#life.health,
    });
  }

  /** Whether the module has a `teardown`. @internal */
  get hasTeardown(): boolean {
    return this.#dispatcher.pool.threads.some((thread) => thread.hasTeardown);
  }

  /** Whether it takes tasks, and if not, why. */
  get mode(): ExecutorMode {
    return this.#life.mode;
  }

  /** Why it failed; `undefined`: it has not. */
  get error(): Error | undefined {
    return this.#life.error;
  }

  /**
   * Runs a task; resolves with what its handler returned, once that is recorded.
   * Values travel as structured clones.
   *
   * Rejects with `TaskError` when the task did not end `done` (its `code` says
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
   * `ERR_INVALID_OPTIONS` for an unknown option, or a window that is not a whole number of at least 1.
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
   * they are on disk, so that a server may answer 202. What they come to is reported
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
  async enqueue(tasks: readonly TaskToEnqueue<Module>[]): Promise<EnqueuedTask[]> {
    this.#submissions.refuseIfClosed();
    const added = await this.#submissions.add(newTasks(this.handlers, tasks));
    return added.map(({ id, status }) => ({ id, status }));
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
        announceOutcome(this, cancelled.outcome, cancelled.outcome.ordinal);
        void this.#life.tellIdle();
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
    this.#life.pause();
  }

  /** Goes on after `pause` or `drain`; does nothing after `tearDown`. */
  resume(): void {
    this.#life.resume();
  }

  /** Takes no more tasks from the queue, and resolves when none is running. What waits stays in the queue. */
  drain(): Promise<void> {
    return this.#life.drain();
  }

  /** Drains, and aborts what runs, as `stop` with `force` does; but its queue can still be asked. @internal */
  async interrupt(): Promise<void> {
    const drained = this.drain();
    this.#dispatcher.abortAll();
    await drained;
  }

  /**
   * Drains, and calls the `teardown` of the module in each thread, as `stop` does.
   * Gives what may be lost, as some of them failed; `stop` does not report that again.
   *
   * From then on it only drains: no `resume` and no `scale` brings threads back. As
   * after `drain`, what is submitted waits in the queue for the next executor.
   */
  tearDown(): Promise<TeardownLoss | undefined> {
    return this.#life.tearDown();
  }

  /** Resolves once every accepted task has its outcome; rejects when the executor fails or stops before. */
  idle(): Promise<void> {
    return this.#life.idle();
  }

  /**
   * Changes the number of threads; surplus ones finish what they have. Resolves once new ones have loaded.
   *
   * Rejects with `ERR_INVALID_OPTIONS` unless it is a whole number from 1 to 1024, with `ERR_HANDLER_MODULE`
   * when the module does not load any more, and with `ERR_EXECUTOR_STOPPED` or why the executor failed.
   */
  async scale(threads: number): Promise<void> {
    checkThreads(threads);
    await this.#life.scale(threads);
  }

  /**
   * Ends the executor: lets what runs come to its end, or with `force` aborts
   * its signals and, after the grace, ends its threads; interrupted tasks are
   * ready again. Then releases the lock. What waits stays in the queue, and
   * those who wait for it get `ERR_EXECUTOR_STOPPED`. A second call may add force.
   *
   * A thread cannot be ended while native code in it does not return (`execSync`,
   * a pipe that nobody writes to). It is waited for no longer than 2 s, and reported
   * by the event `thread-unended`. `process.exit()` would wait for it; a signal ends the
   * process all the same: `process.kill(process.pid, 'SIGKILL')`.
   *
   * Rejects with `ERR_INVALID_OPTIONS` for an unknown option, and stops nothing then.
   * Rejects, all the same stopped, with what went wrong meanwhile: when an outcome
   * could not be recorded (an error of the queue; its task is ready again), the
   * lock was lost, or the `teardown` of the module failed in a thread (`ERR_TEARDOWN`).
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions('stop', options, STOP_CHECKS);
    await this.#life.stop(options.force ?? false);
  }

  /** `await using executor = await createExecutor(…)` stops it at the end of its block, as `stop()` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * The outcome of a task, `undefined` if it has none (yet), or there is no such task. With `durable: false`, only
   * those of tasks that were given an id are kept.
   *
   * Rejects with `ERR_INVALID_OPTIONS` for an unknown option, `ERR_VALUE_NOT_CLONEABLE` when the result is nested too
   * deep for the main thread, or an error of the queue.
   */
  async outcome(id: string, options?: OutcomeOptions): Promise<TaskOutcome | undefined> {
    checkOptions('outcome', options, OUTCOME_CHECKS);
    if (typeof id !== 'string' || !isWellFormed(id)) return undefined;
    const found = await this.#queue.outcome(id, options);
    return found && decodeOutcome(found);
  }

  /**
   * Outcomes in the order they were recorded; streamed, so that millions need no
   * memory. Those recorded meanwhile are in; it ends when it has caught up.
   * With `durable: false`, only those of tasks that were given an id are kept.
   *
   * Throws `ERR_INVALID_OPTIONS` for an unknown option, or errors of the queue.
   */
  async *outcomes(options?: OutcomesOptions): AsyncGenerator<RecordedOutcome, void, undefined> {
    checkOptions('outcomes', options, FILTER_CHECKS);
    for await (const outcome of this.#queue.outcomes(options)) {
      yield Object.assign(outcomeToTell(outcome), { ordinal: outcome.ordinal });
    }
  }

  /** The ordinal of the outcome that was recorded last; 0: none yet. */
  lastOrdinal(): Promise<number> {
    return this.#queue.lastOrdinal();
  }

  /** Writes into the lock's details where this executor can be steered. @internal */
  announce(controlSocket: string): void {
    this.#lock.describe({ controlSocket });
  }

  /** Called by `stop` once no thread is left, the last one first, while the lock is still held. @internal */
  atEnd(end: () => unknown): void {
    this.#life.atEnd(end);
  }

  /** How many tasks of the run are in each state, those of earlier executors included. */
  counts(): Promise<TaskCounts> {
    return this.#queue.counts();
  }

  /**
   * Async functions in the threads that nobody waits for and that have not ended: what tasks left behind,
   * and tasks that still run. Each thread is paused for it, a few tenths of a second where its heap is
   * small. Only functions of your own are found, not those of packages. And streams to files (of `node:fs`)
   * that are open now, whoever made them: also those that the module's `teardown` would end.
   */
  leftPending(): Promise<LeftInThread[]> {
    return leftInThreads(this.#dispatcher.pool);
  }

  /**
   * Makes the task ready again, as if it had never run, if it has an outcome other than `done`. Gives
   * whether it had one; its earlier attempts are forgotten with it.
   */
  async retryTask(id: string): Promise<boolean> {
    if (typeof id !== 'string' || !isWellFormed(id)) return false;
    return (await this.#queue.retryTask(id)).retried;
  }

  /**
   * Makes tasks with one of these outcomes ready again, as if they had never run; gives their number.
   * Rejects with `ERR_INVALID_OPTIONS` for any other state.
   */
  async retry(states: readonly OutcomeState[]): Promise<number> {
    checkStates(states);
    // They are of an earlier start, perhaps of one whose tasks were held back.
    const [retried] = await Promise.all([this.#queue.retry(states), this.#holds ? undefined : this.#queue.letGo()]);
    return retried;
  }

  /** What the run and each of its threads are doing now. Plain data. Rejects with an error of the queue. */
  async status(): Promise<ExecutorStatus> {
    const { pool } = this.#dispatcher;
    const { error } = this.#life;
    const counts = await this.#queue.counts();
    const due = counts.delayed > 0 ? await this.#queue.nextDue() : undefined;
    return {
      runId: this.runId,
      mode: this.#life.mode,
      epoch: this.#queue.member,
      counts,
      nextDueMs: due === undefined ? null : Math.max(0, due - now()),
      threads: statusOfThreads(this.#dispatcher),
      statistics: this.#statistics.snapshot(pool.busyMs, pool.readyMs),
      health: this.#life.health.status,
      ...(error && { error: { code: (error as { code?: string }).code, message: error.message } }),
    };
  }

  /** The answers to health probes, from what is known now: waits for nothing. */
  probe(): ProbeAnswers {
    return this.#life.health.probe();
  }
}
