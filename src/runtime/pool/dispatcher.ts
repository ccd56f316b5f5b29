import { EventEmitter } from 'node:events';
import type { ClaimedTask, Settlement, Claiming } from '../queue/contract.js';
import { idOf } from '../queue/generated-id.js';
import { AbortReason } from '../thread/board.js';
import { AttemptEnd, type BatchReport, type TaskEvent } from '../thread/protocol.js';
import { Pace, type PaceSettings } from './dispatch/pace.js';
import { Pump } from './dispatch/pump.js';
import { concludeReport } from './judge/conclude-report.js';
import type { RetryPolicy } from './judge/conclude.js';
import { FORCED_END, judge, type Sentence } from './judge/judge.js';
import { Pool, type PoolSettings } from './pool.js';
import type { Batch } from './thread/batch.js';
import type { PoolThread } from './thread/pool-thread.js';
import type { UnendedThread } from './thread/unended.js';
import { Lookout, type Look } from './watch/lookout.js';
import { MemoryTotal } from './watch/memory-total.js';
import { Starts } from './watch/starts.js';
import { reportStuck, type StuckTogether } from './watch/stuck-tasks.js';
import { VitalSigns, type TaskInFlight, type VitalSignsSettings } from './watch/vital-signs.js';

export interface DispatcherSettings extends PoolSettings, RetryPolicy, VitalSignsSettings, PaceSettings {
  /** Limit in bytes of the whole process, as the system counts (RSS); `undefined`: none. */
  memoryTotal: number | undefined;
  /** Finds out where tasks stand that are stuck. */
  look: Look;
}

export interface DispatcherEvents {
  /** What became of tasks is durable. `tasks`, `settlements` and `ordinals` (of the outcomes only) run in step. */
  settled: [tasks: readonly ClaimedTask[], settlements: readonly Settlement[], ordinals: readonly number[]];
  /** An attempt has begun; `since` on the clock of the boards. */
  started: [thread: PoolThread, task: ClaimedTask, since: number];
  event: [thread: PoolThread, event: TaskEvent];
  'thread-died': [thread: PoolThread, cause: Error, running: readonly ClaimedTask[]];
  /** What tasks left in a thread, to be written by `teardown`, may be lost. */
  untorn: [thread: PoolThread, cause: Error];
  /** Something is not as it should be, and harms no task. */
  warning: [warning: Error];
  'thread-unended': [thread: UnendedThread];
  /** Tasks of one thread stand at the same place, and are stuck; with the limit that they are over, in ms. */
  'tasks-stuck': StuckTogether;
  /** Nothing is running and nothing waits in hand. */
  idle: [];
  /** The queue or the pool failed: nothing is claimed any more. */
  broken: [error: Error];
}

/**
 * Brings tasks from the queue to the threads, and what became of them back.
 *
 * Which task goes where, and when, the pump decides; what an attempt comes to
 * that has ended, or a thread that is gone, is judged here and given back to it.
 */
export class Dispatcher extends EventEmitter<DispatcherEvents> {
  readonly pool: Pool;
  readonly vitalSigns: VitalSigns;
  readonly starts = new Starts((thread, task, since) => this.emit('started', thread, task, since));
  readonly #policy: RetryPolicy;
  readonly #pump: Pump;
  readonly #pace: Pace | undefined;
  readonly #lookout: Lookout;
  readonly #memoryTotal: MemoryTotal | undefined;
  /** Threads that are being ended by force, and why. */
  readonly #condemned = new Map<PoolThread, Sentence>();

  constructor(settings: DispatcherSettings) {
    super();
    this.#policy = settings;
    this.#lookout = new Lookout(settings.look);
    const onBroken = (error: Error) => this.#pump.break(error);
    const onMore = () => this.#pump.pump();
    this.pool = new Pool(settings, {
      onReport: (thread, batch, report) => this.#onReport(thread, batch, report),
      onDeath: (thread, cause) => this.#onDeath(thread, cause),
      onUnended: (thread) => this.emit('thread-unended', thread),
      onEvent: (thread, event) => {
        if (event.type === 'progress') this.starts.onSign(thread, event.lane);
        this.emit('event', thread, event);
      },
      onUntorn: (thread, cause) => this.emit('untorn', thread, cause),
      onFree: onMore,
      onBroken,
    });
    if (settings.memoryTotal !== undefined) {
      this.#memoryTotal = new MemoryTotal(settings.memoryTotal, this.pool, {
        onOver: (warning) => this.emit('warning', warning),
        onBelow: onMore,
        onBroken,
      });
    }
    this.#pace = Pace.of(settings, settings.now, onMore);
    this.#pump = new Pump(this.pool, settings.now, () => !this.#memoryTotal?.over, this.#pace, {
      onOpen: () => this.#memoryTotal?.start(),
      onRun: () => this.vitalSigns.start(),
      onSettled: (tasks, settlements, ordinals) => this.emit('settled', tasks, settlements, ordinals),
      onIdle: () => this.emit('idle'),
      onBroken: (error) => this.emit('broken', error),
    });
    this.vitalSigns = new VitalSigns(this.pool, this.#lookout, settings, {
      onRunning: (running) => {
        for (const { task, since } of running) this.#pace?.began(task, since);
        this.starts.onRunning(running);
      },
      onUnyielding: (inFlight, reason, stuck) => this.#condemn(inFlight, reason, stuck),
      onStirred: onMore,
      onStuck: (stuck) =>
        reportStuck(stuck, this.#lookout, this.#policy, (...together) => this.emit('tasks-stuck', ...together)),
      onStuckBehind: (thread, batch) => this.#pump.moveOn(thread, batch),
    });
  }

  /** Whether no task is on a thread, in hand, or not durable yet. */
  get idle(): boolean {
    return this.#pump.idle;
  }

  /** Starts claiming. `suspects`: how many the queue holds. */
  open(queue: Claiming, suspects: number): void {
    this.#pump.open(queue, suspects);
  }

  /** Stops claiming, and gives back to the queue what has not started. What runs goes on. */
  close(): Promise<void> {
    return this.#pump.close();
  }

  /** Goes on after `close`. */
  reopen(): void {
    this.#pump.reopen();
  }

  /** Asks all running tasks to stop; those that do not within the grace lose their thread. They are released. */
  abortAll(): void {
    this.vitalSigns.abortAll();
  }

  /** Cancels a task that was claimed; false if it is not here. */
  cancel(id: string): boolean {
    const inFlight = this.vitalSigns.inFlight().find(({ task }) => idOf(task) === id);
    if (inFlight === undefined) return this.#pump.cancel(id);
    this.vitalSigns.abort(inFlight, AbortReason.cancel);
    return true;
  }

  /** Lets the module tear down what it set up in the threads, none of which may have work. */
  async tearDown(): Promise<void> {
    this.#pump.stop();
    await this.pool.tearDown();
  }

  /** Tears all threads down, and ends them. */
  async end(): Promise<void> {
    this.#pump.stop();
    this.vitalSigns.stop();
    this.#memoryTotal?.stop();
    await this.pool.close();
    await this.#lookout.settled();
  }

  #onReport(thread: PoolThread, batch: Batch, report: BatchReport): void {
    const reading = this.#readingOf(thread, batch, report);
    if (reading === undefined) this.#conclude(thread, batch, report);
    else void reading.then(() => this.#conclude(thread, batch, report));
  }

  /** A task was told in time that its time is up; where it stood then may still be being read. */
  #readingOf(thread: PoolThread, { tasks }: Batch, { ends, first, startedAt }: BatchReport): Promise<void> | undefined {
    const index = ends.lastIndexOf(AttemptEnd.timedOut);
    return index === -1 ? undefined : this.#lookout.reading(thread, tasks[first + index]!, startedAt[index]!);
  }

  #conclude(thread: PoolThread, batch: Batch, report: BatchReport): void {
    this.starts.onReport(thread, batch, report);
    if (report.startedAt.length > 0) this.#pace?.began(batch.tasks[report.first]!, report.startedAt[0]!);
    const { tasks, settlements } = concludeReport(thread, batch, report, this.#policy, this.#lookout);
    this.#pump.costs.learn(tasks, report.durationMs);
    if (tasks.length > 0) this.#pump.settle(tasks, settlements);
  }

  #onDeath(thread: PoolThread, cause: Error): void {
    this.starts.onDeath(thread);
    const sentence = this.#condemned.get(thread);
    this.#condemned.delete(thread);
    const wasCancelled = (task: ClaimedTask) => this.vitalSigns.askedWhy(task) === AbortReason.cancel;
    const { tasks, settlements, back, running } = judge(
      thread,
      cause,
      sentence,
      wasCancelled,
      this.#policy,
      this.#lookout,
    );
    if (!sentence) this.emit('thread-died', thread, cause, running);
    if (tasks.length > 0) this.#pump.settle(tasks, settlements);
    this.#pump.returned(back);
  }

  #condemn({ thread, task }: TaskInFlight, reason: AbortReason, stuck: boolean): void {
    this.#condemned.set(thread, {
      culprit: task,
      end: FORCED_END[reason],
      stuck: stuck && reason === AbortReason.timeout,
    });
    thread.kill(new Error(`ended by force: a task did not stop when it was asked to`));
  }
}
