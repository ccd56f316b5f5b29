import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import { now, ThreadBoard } from '../../thread/board.js';
import type { BatchReport, TaskEvent, TaskProgress } from '../../thread/protocol.js';
import { Assignments } from './assignments.js';
import { batchRequest, type Batch } from './batch.js';
import { ThreadLife } from './thread-life.js';
import type { ThreadSettings } from './thread-settings.js';
import { isOver, type ThreadState } from './thread-state.js';
import type { UnendedThread } from './unended.js';
import { WorkTime } from './work-time.js';

export interface ThreadListener {
  /** `last`: the lane is free again. */
  onReport(thread: PoolThread, batch: Batch, report: BatchReport, last: boolean): void;
  /** The thread is gone, and its batches with it. Told once. */
  onDeath(thread: PoolThread, cause: Error): void;
  /** The thread was ended, is waited for no longer, and has not ended. */
  onUnended(thread: UnendedThread): void;
  onEvent(thread: PoolThread, event: TaskEvent): void;
}

/** One worker thread, what it was given, and how far it has told of it. */
export class PoolThread {
  readonly number: number;
  readonly board: ThreadBoard;
  /** What its lanes have. */
  readonly batches: (Batch | undefined)[];
  /** What was last told of a lane's progress; it may be of a task that has ended. */
  readonly progress: (TaskProgress | undefined)[] = [];
  /** Of the text of the module that it has loaded; `undefined` if that changed while it was loaded. */
  version: string | undefined;
  /** Whether its event loop has not turned for a while: it takes no batches until it does. */
  blocked = false;
  readonly #life: ThreadLife;
  readonly #assigned: Assignments;
  readonly #time = new WorkTime();
  readonly #listener: ThreadListener;

  constructor(number: number, settings: ThreadSettings, listener: ThreadListener) {
    this.number = number;
    this.#listener = listener;
    this.#assigned = new Assignments(settings.lanes, settings.recycleAfterTasks);
    this.batches = this.#assigned.batches;
    const board = ThreadBoard.allocate(settings.lanes);
    this.board = new ThreadBoard(board);
    this.#life = new ThreadLife(number, settings, board, {
      onLoaded: () => this.#time.ready(),
      onReport: (report) => this.#onReport(report),
      onEvent: (event) => listener.onEvent(this, event),
      onDeath: (cause) => {
        this.#time.end();
        listener.onDeath(this, cause);
      },
      onUnended: (thread) => listener.onUnended(thread),
      runningTasks: () => this.#runningTasks(),
    });
  }

  get state(): ThreadState {
    return this.#life.state;
  }

  /** Whether the thread takes batches: once it has loaded, until it is retired. What is over stays so. */
  get accepting(): boolean {
    return this.state === 'accepting';
  }

  set accepting(accepting: boolean) {
    this.#life.become(accepting ? 'accepting' : 'retired');
  }

  /** Whether it has ever loaded its module. */
  get loaded(): boolean {
    return this.#time.hasBegun;
  }

  /** Whether it is gone, or about to go. */
  get dead(): boolean {
    return isOver(this.state);
  }

  get tearingDown(): boolean {
    return this.state === 'tearing-down';
  }

  /** Whether the module has a `teardown`. */
  get hasTeardown(): boolean {
    return this.#life.hasTeardown;
  }

  /** As `worker_threads.threadId` has it; `undefined` when it is gone. */
  get threadId(): number | undefined {
    return this.#life.threadId;
  }

  /** Bytes in use when it last looked: of its heap, and outside of it. */
  get memory(): { heap: number; external: number } {
    return this.board.memory;
  }

  get tasksDone(): number {
    return this.#assigned.tasksDone;
  }

  /** Tasks that it still may take before it is to be replaced. */
  get tasksLeft(): number {
    return this.#assigned.tasksLeft;
  }

  /** How many batches were sent here so far. */
  get batchesTaken(): number {
    return this.#assigned.given;
  }

  /** Tasks that ended `done` here, of a module with a `teardown`; the first few of them by id. */
  get done(): { count: number; ids: string[] } {
    return this.#assigned.done;
  }

  get busy(): boolean {
    return this.#time.busy;
  }

  /** Milliseconds in which this thread had work. */
  get busyMs(): number {
    return this.#time.busyMs;
  }

  /** Milliseconds since this thread was ready for work. */
  get readyMs(): number {
    return this.#time.readyMs;
  }

  /** When its event loop last turned, or it took up a task; milliseconds since the epoch, as `now` counts. */
  get stirredAt(): number {
    let latest = this.board.lastBeat;
    for (const batch of this.batches) {
      if (batch !== undefined) latest = Math.max(latest, this.board.running(batch.lane)?.since ?? 0);
    }
    return latest;
  }

  /** Milliseconds for which a thread with work has shown no sign of life; 0 without work. */
  get silentMs(): number {
    return this.busy ? Math.max(0, Math.min(now() - this.stirredAt, this.#time.busyForMs)) : 0;
  }

  /** Whether a task is running. */
  get running(): boolean {
    return this.batches.some((batch, lane) => batch !== undefined && this.board.running(lane) !== undefined);
  }

  /** How far a task says it is, if it does. */
  progressOf({ lane }: Batch, task: ClaimedTask): { progress?: { done: number; total?: number } } {
    const last = this.progress[lane];
    if (last?.taskId !== idOf(task)) return {};
    const { done, total } = last;
    return { progress: { done, ...(total !== undefined && { total }) } };
  }

  /** Whether a task that is running at that position of its batch is the first that ever ran here. */
  ranNothingBefore(position: number): boolean {
    return this.batchesTaken === 1 && position === 0;
  }

  /** As `ThreadLife.load`, but for the version, which is kept. */
  async load(): Promise<string[]> {
    const { handlers, version } = await this.#life.load();
    this.version = version;
    return handlers;
  }

  /** A lane without a batch, if this thread may take one. */
  freeLane(): number | undefined {
    if (this.state !== 'accepting' || this.blocked || this.tasksLeft === 0) return undefined;
    return this.#assigned.freeLane;
  }

  /** Sends tasks to a free lane. */
  run(lane: number, tasks: readonly ClaimedTask[], fencingToken: number): void {
    const batch = this.#assigned.give(lane, tasks);
    this.#time.begin();
    this.board.reset(lane);
    this.#life.send(batchRequest(batch, fencingToken));
  }

  /** Takes back the tasks of a lane that have not been taken up yet. */
  takeRest(batch: Batch): readonly ClaimedTask[] {
    return this.#assigned.cutOff(batch, this.board.takeRest(batch.lane, batch.size));
  }

  /** As `ThreadLife.ping`. */
  ping(): Promise<boolean> {
    return this.#life.ping();
  }

  /** As `ThreadLife.tearDown`. */
  tearDown(): Promise<Error | undefined> {
    return this.#life.tearDown();
  }

  /** Ends the thread by force; what it was doing is told by `onDeath`. */
  kill(cause: Error): void {
    this.#life.kill(cause);
  }

  /** Ends a thread that has no work. */
  end(): Promise<void> {
    return this.#life.end();
  }

  #runningTasks(): string[] {
    return this.batches.flatMap((batch, lane) => {
      const running = batch && this.board.running(lane);
      return running === undefined ? [] : [idOf(batch!.tasks[running.position]!)];
    });
  }

  #onReport(report: BatchReport): void {
    this.blocked = false;
    const batch = this.#assigned.onReport(report, this.hasTeardown);
    if (report.last && this.#assigned.isEmpty) this.#time.end();
    this.#listener.onReport(this, batch, report, report.last);
  }
}
