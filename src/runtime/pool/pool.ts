import { HoldfastError } from '../../base/errors.js';
import type { BatchReport } from '../thread/protocol.js';
import { Leaving } from './leaving.js';
import type { Batch } from './thread/batch.js';
import { countFreeLanes, freshestLane, leastUsedLane, type FreeLane } from './dispatch/free-lanes.js';
import { PoolThread, type ThreadListener } from './thread/pool-thread.js';
import type { ThreadSettings } from './thread/thread-settings.js';

/** A thread that dies this often in a row without having ended a task will not do so the next time either. */
const MAX_BARREN_DEATHS = 5;

/** One follows the other: threads come and go as they are wanted, take no work for good, are ended. */
type Mode = 'working' | 'tearing-down' | 'closed';

export interface PoolSettings extends ThreadSettings {
  threads: number;
}

export interface PoolListener extends ThreadListener {
  /** A lane may have become free. */
  onFree(): void;
  /** What tasks left in a thread, to be written by `teardown`, may be lost: it failed, or was never called. */
  onUntorn(thread: PoolThread, cause: Error): void;
  /** No thread can be had any more. */
  onBroken(error: Error): void;
}

/** The threads of an executor: starts, replaces, recycles, grows and shrinks them. */
export class Pool {
  readonly #settings: PoolSettings;
  readonly #listener: PoolListener;
  readonly #threads = new Map<number, PoolThread>();
  readonly #onTheirWay = new Set<Promise<unknown>>();
  #size: number;
  #mode: Mode = 'working';
  #tornDown: Promise<void> | undefined;
  /** Whether the module has a `teardown`, as far as a thread has loaded it. */
  #hasTeardown = false;
  readonly #leaving = new Leaving();
  #barrenDeaths = 0;
  /** Milliseconds of work of threads that are gone. */
  #pastBusyMs = 0;
  #pastReadyMs = 0;

  constructor(settings: PoolSettings, listener: PoolListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#size = settings.threads;
  }

  /** All threads that take work, or will once they have loaded. */
  get threads(): PoolThread[] {
    return [...this.#threads.values()];
  }

  get size(): number {
    return this.#size;
  }

  /** Of the text of the module that the threads have loaded; of one of them, where it was changed meanwhile. */
  get version(): string | undefined {
    return this.threads.find(({ loaded }) => loaded)?.version;
  }

  /** Milliseconds of work of all threads so far. */
  get busyMs(): number {
    return this.threads.reduce((sum, thread) => sum + thread.busyMs, this.#pastBusyMs);
  }

  /** Milliseconds in which all threads so far were ready for work. */
  get readyMs(): number {
    return this.threads.reduce((sum, thread) => sum + thread.readyMs, this.#pastReadyMs);
  }

  /**
   * Starts the threads; gives the names of the handlers once the first one has
   * loaded. The others take work as soon as they have.
   * @throws HoldfastError ERR_HANDLER_MODULE
   */
  async start(): Promise<string[]> {
    const first = this.#add(1);
    for (let number = 2; number <= this.#size; number++) this.#replace(number);
    return first;
  }

  /** Resolves once no thread is on its way any more: each has loaded, or could not. */
  async loaded(): Promise<void> {
    while (this.#onTheirWay.size > 0) await Promise.allSettled(this.#onTheirWay);
  }

  /** A lane that can take a batch: of the thread with the fewest lanes in use. */
  freeLane(): FreeLane | undefined {
    return leastUsedLane(this.#threads.values());
  }

  /** A lane of the thread that was sent the least. */
  freshestLane(): FreeLane | undefined {
    return freshestLane(this.#threads.values());
  }

  freeLanes(): number {
    return countFreeLanes(this.#threads.values());
  }

  /** Whether a thread is on its way. */
  get loading(): boolean {
    return this.threads.some((thread) => !thread.loaded);
  }

  /** Whether a thread is on its way, or about to go. */
  get changing(): boolean {
    return this.loading || this.#leaving.size > 0 || this.#onTheirWay.size > 0;
  }

  /** Replaces a thread as soon as it is idle. */
  recycle(thread: PoolThread): void {
    this.#retire(thread);
  }

  /** Changes the number of threads while they run. Surplus ones finish what they have. Not once they are torn down. */
  async scale(size: number): Promise<void> {
    if (this.#mode !== 'working') return;
    this.#size = size;
    for (const thread of this.threads) if (thread.number > size) this.#retire(thread);
    const missing = Array.from({ length: size }, (_, index) => index + 1).filter(
      (n) => !this.#threads.has(n) && !this.#leaving.expects(n),
    );
    await Promise.all(missing.map((number) => this.#add(number)));
  }

  /**
   * Takes all threads out of work for good, and calls the `teardown` of the module in each, as soon as it has
   * loaded. None of them may have work. Those that had loaded stay, to be looked into.
   */
  tearDown(): Promise<void> {
    this.#tornDown ??= this.#tearDownAll();
    return this.#tornDown;
  }

  async #tearDownAll(): Promise<void> {
    this.#mode = 'tearing-down';
    const present = this.threads.filter((thread) => thread.loaded).map((thread) => this.#tearDown(thread));
    // One that is being set up is torn down when that is over, and before the end is told.
    if (this.#hasTeardown) await this.#arrivals();
    await Promise.all([...present, this.#leaving.all()]);
  }

  /** Waits until no thread is on its way any more. One that takes longer than the grace is ended: it has done nothing. */
  async #arrivals(): Promise<void> {
    const late = setTimeout(() => {
      for (const thread of this.threads) if (!thread.loaded) void thread.end();
    }, this.#settings.grace);
    await this.loaded();
    clearTimeout(late);
  }

  /** Tears all threads down, and ends them; nothing is told of them any more. */
  async close(): Promise<void> {
    await this.tearDown();
    await this.#leaving.all();
    this.#mode = 'closed';
    await Promise.all(this.threads.map((thread) => thread.end()));
    await this.#settings.reaper.close();
  }

  /** Called with each report, after it was dealt with. */
  #afterReport(thread: PoolThread): void {
    this.#barrenDeaths = 0;
    const { recycleAboveMemory = Infinity } = this.#settings;
    const wornOut = thread.tasksLeft === 0 || thread.memory.heap + thread.memory.external > recycleAboveMemory;
    if (wornOut || !thread.accepting) this.#retire(thread);
  }

  /** Takes a thread out as soon as it is idle, and puts another in its place if it is still wanted. */
  #retire(thread: PoolThread): void {
    thread.accepting = false;
    // One that still loads is looked at again when it has; and one that is torn down may still report of tasks that were taken back.
    if (!thread.loaded || thread.busy || thread.dead || thread.tearingDown) return;
    this.#remove(thread);
    if (thread.hasTeardown) this.#leaving.leave(thread, () => this.#tearDown(thread));
    else void thread.end();
    this.#replace(thread.number);
  }

  async #tearDown(thread: PoolThread): Promise<void> {
    const failure = await thread.tearDown();
    if (failure !== undefined) this.#listener.onUntorn(thread, failure);
  }

  #onDeath(thread: PoolThread, cause: Error): void {
    if (this.#mode === 'closed') return;
    this.#remove(thread);
    if (thread.done.count > 0) {
      const message = `the thread ended before it could be torn down: ${cause.message}`;
      this.#listener.onUntorn(thread, new Error(message, { cause }));
    }
    this.#barrenDeaths = !thread.running && thread.tasksDone === 0 ? this.#barrenDeaths + 1 : 0;
    this.#listener.onDeath(thread, cause);
    if (this.#barrenDeaths >= MAX_BARREN_DEATHS) {
      const message = `threads die by themselves, ${MAX_BARREN_DEATHS} in a row, without any task: ${cause.message}`;
      this.#listener.onBroken(new HoldfastError('ERR_HANDLER_MODULE', message, { cause }));
      return;
    }
    this.#replace(thread.number);
  }

  #remove(thread: PoolThread): void {
    this.#pastBusyMs += thread.busyMs;
    this.#pastReadyMs += thread.readyMs;
    this.#threads.delete(thread.number);
  }

  #replace(number: number): void {
    if (this.#mode !== 'working' || number > this.#size) return;
    this.#add(number).catch((error: Error) => {
      if (this.#mode === 'working') this.#listener.onBroken(error);
    });
  }

  #add(number: number): Promise<string[]> {
    const added = this.#load(number);
    this.#onTheirWay.add(added);
    const arrived = () => this.#onTheirWay.delete(added);
    added.then(arrived, arrived);
    return added;
  }

  async #load(number: number): Promise<string[]> {
    while (this.#leaving.has(number)) {
      await this.#leaving.makeWay(number);
      if (this.#mode !== 'working' || number > this.#size) return [];
    }
    const thread = new PoolThread(number, this.#settings, {
      onReport: (from, batch: Batch, report: BatchReport, last) => {
        this.#listener.onReport(from, batch, report, last);
        if (!last) return;
        this.#afterReport(from);
        this.#listener.onFree();
      },
      onDeath: (from, cause) => this.#onDeath(from, cause),
      onUnended: (unended) => this.#listener.onUnended(unended),
      onEvent: (from, event) => this.#listener.onEvent(from, event),
    });
    this.#threads.set(number, thread);
    try {
      const handlers = await thread.load();
      this.#hasTeardown ||= thread.hasTeardown;
      if (number <= this.#size && this.#mode === 'working') thread.accepting = true;
      else this.#retire(thread);
      return handlers;
    } catch (error) {
      this.#threads.delete(number);
      throw error;
    } finally {
      this.#listener.onFree();
    }
  }
}
