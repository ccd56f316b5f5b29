import { AbortReason, now } from '../../thread/board.js';
import type { ClaimedTask } from '../../queue/contract.js';
import { limitOf } from '../judge/conclude.js';
import type { Concern, Lookout } from './lookout.js';
import type { Pool } from '../pool.js';
import type { Batch } from '../thread/batch.js';
import type { PoolThread } from '../thread/pool-thread.js';

/** How often the boards are read while there is work, in ms; also how exact a timeout is. */
const WATCH_INTERVAL_MS = 20;

/** Tasks that wait this many ms behind a slow one of their batch go to another thread, if one is free. */
const STUCK_BEHIND_MS = 20;

/** A thread with work whose event loop has not turned for this many ms gets no more: four beats. */
const BLOCKED_MS = 100;

/** A task that is running now, as its thread's board shows it. */
export interface TaskInFlight {
  thread: PoolThread;
  batch: Batch;
  task: ClaimedTask;
  position: number;
  /** Milliseconds since the epoch. */
  since: number;
}

export interface VitalSignsSettings {
  /** Milliseconds an attempt may take where the task does not say; `undefined`: no limit. */
  timeout: number | undefined;
  /** Milliseconds between the abort of a task's signal and the end of its thread. */
  grace: number;
  /** Milliseconds after which a task is told of, and a thread whose event loop does not turn. */
  stallAfter: number;
}

/** A task that is stuck, and was looked at. */
export interface Stuck {
  inFlight: TaskInFlight;
  concern: Concern;
}

export interface VitalSignsListener {
  /** These are running now; told several times a second. */
  onRunning(running: readonly TaskInFlight[]): void;
  /** The task did not end within the grace after it was asked to. `stuck`: its event loop has not turned since. */
  onUnyielding(inFlight: TaskInFlight, reason: AbortReason, stuck: boolean): void;
  /** Tasks are stuck, and were looked at, or could not be in time. Each is told of once for each concern. */
  onStuck(stuck: readonly Stuck[]): void;
  /** Tasks may wait behind a slow one. */
  onStuckBehind(thread: PoolThread, batch: Batch): void;
  /** A thread that was blocked takes work again. */
  onStirred(): void;
}

/** Reads the boards of all threads: what runs, since when, and who must be asked, told or ended. */
export class VitalSigns {
  readonly #pool: Pool;
  readonly #lookout: Lookout;
  readonly #settings: VitalSignsSettings;
  readonly #listener: VitalSignsListener;
  /** When each task that was asked to abort was asked, and why. `held`: it counts, and the task does not know yet. */
  #asked = new Map<ClaimedTask, { at: number; reason: AbortReason; held: boolean }>();
  readonly #told: Record<Concern, WeakSet<ClaimedTask>> = {
    stalled: new WeakSet(),
    silent: new WeakSet(),
    'timed-out': new WeakSet(),
    unyielding: new WeakSet(),
  };
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(pool: Pool, lookout: Lookout, settings: VitalSignsSettings, listener: VitalSignsListener) {
    this.#pool = pool;
    this.#lookout = lookout;
    this.#settings = settings;
    this.#listener = listener;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#watch(), WATCH_INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#asked.clear();
  }

  /** All tasks that are running now. */
  inFlight(): TaskInFlight[] {
    const all: TaskInFlight[] = [];
    for (const thread of this.#pool.threads) {
      for (const batch of thread.batches) {
        if (batch === undefined) continue;
        const running = thread.board.running(batch.lane);
        const task = running && batch.tasks[running.position];
        if (task) all.push({ thread, batch, task, position: running.position, since: running.since });
      }
    }
    return all;
  }

  /**
   * Asks a running task to abort; after the grace its thread is ended. The first
   * reason counts, but for a cancel, which outranks the others: after those the
   * task would run again.
   */
  abort(inFlight: TaskInFlight, reason: AbortReason): void {
    const { thread, batch, position, task } = inFlight;
    const asked = this.#asked.get(task);
    if (asked !== undefined && (reason !== AbortReason.cancel || asked.reason === reason)) return;
    // Where a task stood that is out of time can only be seen before it hears of it.
    const held = reason === AbortReason.timeout;
    this.#asked.set(task, { at: asked?.held === false ? asked.at : now(), reason, held });
    thread.board.requestAbort(batch.lane, position, reason, held);
  }

  /** Asks all running tasks to stop, also those that are just about to start. */
  abortAll(): void {
    this.#stopping = true;
    for (const inFlight of this.inFlight()) this.abort(inFlight, AbortReason.stop);
  }

  /** Why a running task was asked to abort, if it was. */
  askedWhy(task: ClaimedTask): AbortReason | undefined {
    return this.#asked.get(task)?.reason;
  }

  #watch(): void {
    const time = now();
    const running = this.inFlight();
    const stuck: Stuck[] = [];
    this.#listener.onRunning(running);
    this.#findBlocked(running, time);
    for (const inFlight of running) this.#look(inFlight, time, stuck);
    if (stuck.length > 0) this.#listener.onStuck(stuck);
    if (this.#asked.size > 0) this.#forgetEnded(running);
    // Not sooner: with one short task after the other, the timer would be made anew for each.
    if (!this.#pool.threads.some((thread) => thread.busy)) this.stop();
  }

  /** What was sent to a thread that spins would wait as long as what is behind the spinning task itself. */
  #findBlocked(running: TaskInFlight[], time: number): void {
    const stirredAt = new Map<PoolThread, number>();
    for (const { thread, since } of running) {
      stirredAt.set(thread, Math.max(stirredAt.get(thread) ?? thread.board.lastBeat, since));
    }
    for (const thread of this.#pool.threads) {
      const wasBlocked = thread.blocked;
      thread.blocked = time - (stirredAt.get(thread) ?? time) > BLOCKED_MS;
      if (thread.blocked) {
        for (const batch of thread.batches) if (batch) this.#listener.onStuckBehind(thread, batch);
      } else if (wasBlocked) this.#listener.onStirred();
    }
  }

  #look(inFlight: TaskInFlight, time: number, stuck: Stuck[]): void {
    const { thread, batch, task, position, since } = inFlight;
    if (thread.dead) return;
    const timeout = limitOf(task, this.#settings);
    if (timeout !== undefined && time - since > timeout) this.abort(inFlight, AbortReason.timeout);
    if (this.#stopping) this.abort(inFlight, AbortReason.stop);

    const asked = this.#asked.get(task);
    if (asked?.held && this.#isSeen(inFlight, 'timed-out', stuck)) {
      Object.assign(asked, { at: now(), held: false });
      thread.board.requestAbort(batch.lane, position, asked.reason);
    }
    if (asked?.held === false && time - asked.at > this.#settings.grace) {
      if (this.#isSeen(inFlight, 'unyielding', stuck)) {
        this.#listener.onUnyielding(inFlight, asked.reason, thread.board.lastBeat < asked.at);
      }
      return;
    }
    if (position + 1 < batch.size && time - since > STUCK_BEHIND_MS) this.#listener.onStuckBehind(thread, batch);

    if (asked !== undefined || time - since <= this.#settings.stallAfter) return;
    const silent = time - thread.board.lastBeat > this.#settings.stallAfter;
    if (silent) this.#isSeen(inFlight, 'silent', stuck);
    else if (!this.#told.silent.has(task)) this.#isSeen(inFlight, 'stalled', stuck);
  }

  /** Whether the task was looked at, or is not waited for any longer; that is told once. */
  #isSeen(inFlight: TaskInFlight, concern: Concern, stuck: Stuck[]): boolean {
    const { thread, task, since } = inFlight;
    const told = this.#told[concern];
    if (told.has(task)) return true;
    const timeLeft = () => this.#timeLeft(thread);
    if (!this.#lookout.hasLooked(thread, task, since, concern, timeLeft)) return false;
    told.add(task);
    stuck.push({ inFlight, concern });
    return true;
  }

  /** Milliseconds until the first of a thread's tasks is out of time; `undefined`: none has a limit. */
  #timeLeft(thread: PoolThread): number | undefined {
    const left = this.inFlight()
      .filter((inFlight) => inFlight.thread === thread)
      .flatMap(({ task, since }) => {
        const limit = limitOf(task, this.#settings);
        return limit === undefined ? [] : since + limit - now();
      });
    return left.length === 0 ? undefined : Math.max(0, Math.min(...left));
  }

  #forgetEnded(running: TaskInFlight[]): void {
    const tasks = new Set(running.map((inFlight) => inFlight.task));
    for (const task of this.#asked.keys()) if (!tasks.has(task)) this.#asked.delete(task);
  }
}
