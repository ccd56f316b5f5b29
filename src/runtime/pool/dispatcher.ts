import { EventEmitter } from 'node:events';
import type { ClaimedTask, Settlement, TaskQueue } from '../queue/contract.js';
import { idOf } from '../queue/generated-id.js';
import { AbortReason } from '../thread/board.js';
import { AttemptEnd, type BatchReport, type TaskEvent } from '../thread/protocol.js';
import { cancelledBeforeStart, limitOf, type RetryPolicy } from './judge/conclude.js';
import { concludeReport } from './judge/conclude-report.js';
import { CostModel, MAX_BATCH } from './dispatch/cost-model.js';
import { Pool, type PoolSettings } from './pool.js';
import type { Batch } from './thread/batch.js';
import type { PoolThread } from './thread/pool-thread.js';
import { MemoryTotal } from './watch/memory-total.js';
import { FORCED_END, judge, type Sentence } from './judge/judge.js';
import { Lookout, type Concern, type Look } from './watch/lookout.js';
import { Starts } from './watch/starts.js';
import type { UnendedThread } from './thread/unended.js';
import { VitalSigns, type Stuck, type TaskInFlight, type VitalSignsSettings } from './watch/vital-signs.js';

/**
 * Tasks that are claimed in one go, at most: with hundreds of threads and tasks
 * that cost nothing, one claim would keep the main thread for seconds.
 */
const MAX_CLAIM = 10_000;

export interface DispatcherSettings extends PoolSettings, RetryPolicy, VitalSignsSettings {
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
  'tasks-stuck': [stuck: readonly TaskInFlight[], concern: Concern, stuckAt: string, timeoutMs: number | undefined];
  /** Nothing is running and nothing waits in hand. */
  idle: [];
  /** The queue or the pool failed: nothing is claimed any more. */
  broken: [error: Error];
}

/**
 * Brings tasks from the queue to the threads, and what became of them back.
 *
 * Tasks are claimed a little ahead of need and kept in `hand`, so that a lane
 * that becomes free need not wait for the queue; long tasks, which would only
 * wait there, are claimed when a lane is free.
 *
 * Three modes: `open` claims and dispatches; `closed` does neither, what runs
 * goes on; `alone`, entered by itself while there are suspects, lets one task
 * at a time run in the whole process.
 */
export class Dispatcher extends EventEmitter<DispatcherEvents> {
  readonly pool: Pool;
  readonly vitalSigns: VitalSigns;
  readonly starts = new Starts((thread, task, since) => this.emit('started', thread, task, since));
  /** Given with `open`: threads start while it is being opened. */
  #queue!: TaskQueue;
  readonly #policy: RetryPolicy;
  readonly #costs = new CostModel();
  #hand: ClaimedTask[] = [];
  #open = false;
  /** How many suspects the queue holds. */
  #suspects = 0;
  /** The suspect that is being tried: until what became of it is durable, nothing else runs. */
  #trial: ClaimedTask | undefined;
  #claiming = false;
  /** What failed: nothing is claimed any more. */
  #brokenBy: Error | undefined;
  /** The last claim found less than it asked for; nothing came since. */
  #queueEmpty = false;
  /** The queue may hold tasks that are due later: as long as it does not, it need not be asked each time. */
  #mayBeDelayed = true;
  /** Tasks that are on a thread or whose settlement is not durable yet. */
  #unsettled = 0;
  #dueTimer: NodeJS.Timeout | undefined;
  /** Threads that are being ended by force, and why. */
  readonly #condemned = new Map<PoolThread, Sentence>();
  readonly #lookout: Lookout;
  readonly #memoryTotal: MemoryTotal | undefined;

  constructor(settings: DispatcherSettings) {
    super();
    this.#policy = settings;
    this.#lookout = new Lookout(settings.look);
    this.pool = new Pool(settings, {
      onReport: (thread, batch, report) => this.#onReport(thread, batch, report),
      onDeath: (thread, cause) => this.#onDeath(thread, cause),
      onUnended: (thread) => this.emit('thread-unended', thread),
      onEvent: (thread, event) => {
        if (event.type === 'progress') this.starts.onSign(thread, event.lane);
        this.emit('event', thread, event);
      },
      onUntorn: (thread, cause) => this.emit('untorn', thread, cause),
      onFree: () => this.#pump(),
      onBroken: (error) => this.#break(error),
    });
    if (settings.memoryTotal !== undefined) {
      this.#memoryTotal = new MemoryTotal(settings.memoryTotal, this.pool, {
        onOver: (warning) => this.emit('warning', warning),
        onBelow: () => this.#pump(),
        onBroken: (error) => this.#break(error),
      });
    }
    this.vitalSigns = new VitalSigns(this.pool, this.#lookout, settings, {
      onRunning: (running) => this.starts.onRunning(running),
      onUnyielding: (inFlight, reason, stuck) => this.#condemn(inFlight, reason, stuck),
      onStirred: () => this.#pump(),
      onStuck: (stuck) => this.#tellStuckOnceRead(stuck),
      onStuckBehind: (thread, batch) => {
        if (!this.#open || this.#aloneMode || this.pool.freeLanes() === 0) return;
        this.#takeBack(thread, batch);
        this.#pump();
      },
    });
  }

  /** Whether a task is on a thread, in hand, or not durable yet. */
  get idle(): boolean {
    return this.#unsettled === 0 && this.#hand.length === 0 && !this.#claiming;
  }

  /** Starts claiming. `suspects`: how many the queue holds. */
  open(queue: TaskQueue, suspects: number): void {
    this.#queue = queue;
    this.#suspects = suspects;
    // A thread may have failed to load before anybody listened.
    if (this.#brokenBy) this.emit('broken', this.#brokenBy);
    else this.reopen();
  }

  /** Stops claiming, and gives back to the queue what has not started. What runs goes on. */
  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#dueTimer);
    for (const thread of this.pool.threads) {
      for (const batch of thread.batches) if (batch) this.#takeBack(thread, batch);
    }
    await this.#releaseHand();
    this.#tellIfIdle();
  }

  /** Goes on after `close`. */
  reopen(): void {
    this.#open = true;
    this.#memoryTotal?.start();
    this.wake();
  }

  /** To be called when tasks were added, in the same tick: the claim then shares their transaction. */
  wake(): void {
    this.#queueEmpty = false;
    this.#pump();
  }

  /** To be called when suspects are in the queue that were held back when it was opened. */
  suspectsCame(count: number): void {
    this.#suspects += count;
    if (count > 0) this.#pump();
  }

  /** Asks all running tasks to stop; those that do not within the grace lose their thread. They are released. */
  abortAll(): void {
    this.vitalSigns.abortAll();
  }

  /** Cancels a task that was claimed; false if it is not here. */
  cancel(id: string): boolean {
    const inFlight = this.vitalSigns.inFlight().find(({ task }) => idOf(task) === id);
    if (inFlight) {
      this.vitalSigns.abort(inFlight, AbortReason.cancel);
      return true;
    }
    for (const thread of this.pool.threads) {
      for (const batch of thread.batches) {
        if (batch?.tasks.some((task) => idOf(task) === id)) this.#takeBack(thread, batch);
      }
    }
    const index = this.#hand.findIndex((task) => idOf(task) === id);
    if (index !== -1) {
      const [task] = this.#hand.splice(index, 1);
      this.#unsettled++;
      void this.#settle([task!], [cancelledBeforeStart(task!)]);
    }
    this.#pump();
    return index !== -1;
  }

  /** Lets the module tear down what it set up in the threads, none of which may have work. */
  async tearDown(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#dueTimer);
    await this.pool.tearDown();
  }

  /** Tears all threads down, and ends them. */
  async end(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#dueTimer);
    this.vitalSigns.stop();
    this.#memoryTotal?.stop();
    await this.pool.close();
    await this.#lookout.settled();
  }

  #pump(): void {
    if (!this.#open || this.#memoryTotal?.over) return;
    if (this.#aloneMode) {
      this.#pumpAlone();
      return;
    }
    this.#fillLanes();
    this.#claim();
  }

  get #aloneMode(): boolean {
    return this.#suspects > 0 || this.#trial !== undefined;
  }

  #fillLanes(): void {
    while (this.#hand.length > 0) {
      const free = this.pool.freeLane();
      if (free === undefined) return;
      this.#run(free.thread, free.lane, this.#nextBatch(Math.min(this.#batchLimit, free.thread.tasksLeft)));
    }
  }

  #run(thread: PoolThread, lane: number, tasks: ClaimedTask[]): void {
    this.#unsettled += tasks.length;
    this.vitalSigns.start();
    thread.run(lane, tasks, this.#queue.epoch);
  }

  /** As many tasks from the hand as make up one message. One that has killed a thread travels alone. */
  #nextBatch(limit: number): ClaimedTask[] {
    let filled = 0;
    let size = 0;
    for (; size < this.#hand.length && size < limit; size++) {
      const task = this.#hand[size]!;
      const share = task.crashes > 0 ? 1 : this.#costs.share(task.handler, task.input.length);
      if (size > 0 && filled + share > 1) break;
      filled += share;
    }
    return this.#hand.splice(0, size);
  }

  /** Lanes of one thread share its time, so together they get no more than one lane would. */
  get #batchLimit(): number {
    return Math.max(1, Math.floor(MAX_BATCH / (this.pool.threads[0]?.batches.length ?? 1)));
  }

  #claim(): void {
    if (this.#claiming || this.#queueEmpty) return;
    const batch = Math.min(this.#costs.typicalBatch, this.#batchLimit);
    const full = batch * this.pool.freeLanes() + this.#costs.ahead * this.pool.size;
    // Claims of a few would cost a transaction each.
    if (this.#hand.length * 2 > full) return;
    const want = Math.min(MAX_CLAIM, full - this.#hand.length);
    if (want <= 0) return;
    this.#claiming = true;
    this.#queueEmpty = true;
    this.#queue.claim(want, this.#policy.now()).then(
      (tasks) => {
        this.#claiming = false;
        if (tasks.length === want) this.#queueEmpty = false;
        else if (this.#mayBeDelayed) this.#scheduleDue();
        this.#hand.push(...tasks);
        if (!this.#open) void this.#releaseHand();
        this.#pump();
        this.#tellIfIdle();
      },
      (error: Error) => {
        this.#claiming = false;
        this.#break(error);
      },
    );
  }

  /** One suspect at a time, and nothing beside it. */
  #pumpAlone(): void {
    if (this.#trial) return;
    for (const thread of this.pool.threads) {
      for (const batch of thread.batches) if (batch) this.#takeBack(thread, batch);
    }
    if (this.#hand.length > 0) {
      void this.#releaseHand();
      return;
    }
    // A thread that is being loaded takes the place of one that died: the suspect is tried there, where nothing ran.
    if (!this.idle || this.pool.loading || !this.pool.freshestLane()) return;
    this.#claiming = true;
    this.#queue.claimSuspect().then(
      (task) => {
        this.#claiming = false;
        if (task === undefined) {
          this.#suspects = 0;
          this.wake();
          this.#tellIfIdle();
          return;
        }
        this.#suspects--;
        this.#trial = task;
        const lane = this.#open ? this.pool.freshestLane() : undefined;
        if (lane) this.#run(lane.thread, lane.lane, [task]);
        else this.#adjourn(task);
      },
      (error: Error) => {
        this.#claiming = false;
        this.#break(error);
      },
    );
  }

  /** A suspect whose trial cannot be held now goes back, to be tried later. */
  #adjourn(task: ClaimedTask): void {
    this.#unsettled++;
    void this.#settle([task], [{ kind: 'suspect', seq: task.seq }]);
  }

  /** Takes what a lane has not started yet back into the hand. */
  #takeBack(thread: PoolThread, batch: Batch): void {
    this.#putBack(thread.takeRest(batch));
  }

  #putBack(tasks: readonly ClaimedTask[]): void {
    this.#unsettled -= tasks.length;
    this.#hand.unshift(...tasks);
  }

  async #releaseHand(): Promise<void> {
    const tasks = this.#hand.splice(0);
    if (tasks.length === 0) return;
    this.#unsettled += tasks.length;
    await this.#settle(
      tasks,
      tasks.map((task) => ({ kind: task === this.#trial ? 'suspect' : 'release', seq: task.seq })),
    );
  }

  #onReport(thread: PoolThread, batch: Batch, report: BatchReport): void {
    const reading = this.#readingOf(thread, batch, report);
    if (reading === undefined) this.#conclude(thread, batch, report);
    else void reading.then(() => this.#conclude(thread, batch, report));
  }

  #conclude(thread: PoolThread, batch: Batch, report: BatchReport): void {
    this.starts.onReport(thread, batch, report);
    const { tasks, settlements } = concludeReport(thread, batch, report, this.#policy, this.#lookout);
    this.#learn(tasks, report.durationMs);
    if (tasks.length > 0) void this.#settle(tasks, settlements);
  }

  /** A task was told in time that its time is up; where it stood then may still be being read. */
  #readingOf(thread: PoolThread, { tasks }: Batch, { ends, first, startedAt }: BatchReport): Promise<void> | undefined {
    const index = ends.lastIndexOf(AttemptEnd.timedOut);
    return index === -1 ? undefined : this.#lookout.reading(thread, tasks[first + index]!, startedAt[index]!);
  }

  #learn(tasks: readonly ClaimedTask[], durations: readonly number[]): void {
    let start = 0;
    while (start < tasks.length) {
      const { handler } = tasks[start]!;
      let end = start;
      let totalMs = 0;
      let totalBytes = 0;
      for (; end < tasks.length && tasks[end]!.handler === handler; end++) {
        totalMs += durations[end]!;
        totalBytes += tasks[end]!.input.length;
      }
      this.#costs.observe(handler, end - start, totalMs, totalBytes);
      start = end;
    }
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
    if (tasks.length > 0) void this.#settle(tasks, settlements);
    this.#putBack(back);
    if (!this.#open || this.#trial) void this.#releaseHand();
    this.#pump();
  }

  #condemn({ thread, task }: TaskInFlight, reason: AbortReason, stuck: boolean): void {
    this.#condemned.set(thread, {
      culprit: task,
      end: FORCED_END[reason],
      stuck: stuck && reason === AbortReason.timeout,
    });
    thread.kill(new Error(`ended by force: a task did not stop when it was asked to`));
  }

  /** What is done about a task does not wait until it is read where it stands; telling of it does. */
  #tellStuckOnceRead(stuck: readonly Stuck[]): void {
    const byReading = new Map<Promise<void> | undefined, Stuck[]>();
    for (const each of stuck) {
      const { thread, task, since } = each.inFlight;
      const reading = this.#lookout.reading(thread, task, since);
      byReading.set(reading, [...(byReading.get(reading) ?? []), each]);
    }
    for (const [reading, some] of byReading) {
      if (reading === undefined) this.#tellStuck(some);
      else void reading.then(() => this.#tellStuck(some));
    }
  }

  /** Many may be stuck at once, and mostly at the same place. */
  #tellStuck(stuck: readonly Stuck[]): void {
    const groups = new Map<string, Parameters<(...told: DispatcherEvents['tasks-stuck']) => void>>();
    for (const { inFlight, concern } of stuck) {
      const { thread, task, since } = inFlight;
      const stuckAt = this.#lookout.stuckAt(thread, task, since) ?? 'not known: it was run again';
      const timeoutMs = concern === 'timed-out' ? limitOf(task, this.#policy) : undefined;
      const key = `${thread.number} ${concern} ${timeoutMs} ${stuckAt}`;
      const [tasks = []] = groups.get(key) ?? [];
      groups.set(key, [[...tasks, inFlight], concern, stuckAt, timeoutMs]);
    }
    for (const told of groups.values()) this.emit('tasks-stuck', ...told);
  }

  /** Every task passed here was counted as unsettled before. */
  async #settle(tasks: readonly ClaimedTask[], settlements: readonly Settlement[]): Promise<void> {
    let ordinals: number[];
    try {
      ordinals = await this.#queue.settle(settlements);
    } catch (error) {
      this.#unsettled -= tasks.length;
      this.#break(error as Error);
      return;
    }
    this.#unsettled -= tasks.length;
    if (this.#trial && tasks.includes(this.#trial)) this.#trial = undefined;
    for (const settlement of settlements) {
      if (settlement.kind === 'suspect') this.#suspects++;
      if (settlement.kind === 'retry') this.#mayBeDelayed = true;
      if (settlement.kind === 'retry' || settlement.kind === 'release') this.#queueEmpty = false;
    }
    this.emit('settled', tasks, settlements, ordinals);
    this.#pump();
    this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (!this.idle) return;
    this.emit('idle');
  }

  /** Wakes up when the next delayed task is due. */
  #scheduleDue(): void {
    this.#mayBeDelayed = false;
    this.#queue.nextDue().then(
      (due) => {
        if (due !== undefined) this.#mayBeDelayed = true;
        clearTimeout(this.#dueTimer);
        if (due === undefined || !this.#open) return;
        this.#dueTimer = setTimeout(() => this.wake(), Math.min(Math.max(1, due - this.#policy.now()), 2 ** 31 - 1));
      },
      (error: Error) => this.#break(error),
    );
  }

  #break(error: Error): void {
    this.#open = false;
    if (!this.#brokenBy) {
      this.#brokenBy = error;
      this.emit('broken', error);
    }
    this.#tellIfIdle();
  }
}
