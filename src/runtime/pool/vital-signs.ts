import { AbortReason, now } from '../thread/board.js';
import type { ClaimedTask } from '../queue/contract.js';
import type { Pool } from './pool.js';
import type { Batch, PoolThread } from './pool-thread.js';

/** How often the boards are read while there is work, in ms; also how exact a timeout is. */
const WATCH_INTERVAL_MS = 20;

/** Tasks that wait this many ms behind a slow one of their batch go to another thread, if one is free. */
const STUCK_BEHIND_MS = 20;

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
  /** Milliseconds after which a thread whose event loop does not turn is told of. */
  stallAfter: number;
}

export interface VitalSignsListener {
  /** The task did not end within the grace after it was asked to. */
  onUnyielding(inFlight: TaskInFlight, reason: AbortReason): void;
  /** The thread's event loop has not turned for `silentMs`. Told once for each task. */
  onSilent(inFlight: TaskInFlight, silentMs: number): void;
  /** Tasks wait behind a slow one. */
  onStuckBehind(inFlight: TaskInFlight): void;
}

/** Reads the boards of all threads: what runs, since when, and who must be asked, told or ended. */
export class VitalSigns {
  readonly #pool: Pool;
  readonly #settings: VitalSignsSettings;
  readonly #listener: VitalSignsListener;
  /** When each task that was asked to abort was asked, and why. */
  #asked = new Map<ClaimedTask, { at: number; reason: AbortReason }>();
  #toldSilent = new WeakSet<ClaimedTask>();
  #timer: NodeJS.Timeout | undefined;

  constructor(pool: Pool, settings: VitalSignsSettings, listener: VitalSignsListener) {
    this.#pool = pool;
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

  /** Asks a running task to abort; after the grace its thread is ended. */
  abort(inFlight: TaskInFlight, reason: AbortReason): void {
    if (this.#asked.has(inFlight.task)) return;
    this.#asked.set(inFlight.task, { at: now(), reason });
    inFlight.thread.board.requestAbort(inFlight.batch.lane, inFlight.position, reason);
  }

  #watch(): void {
    const time = now();
    const running = this.inFlight();
    for (const inFlight of running) this.#look(inFlight, time);
    if (this.#asked.size > 0) this.#forgetEnded(running);
  }

  #look(inFlight: TaskInFlight, time: number): void {
    const { thread, batch, task, position, since } = inFlight;
    if (thread.dead) return;
    const timeout = task.timeoutMs ?? this.#settings.timeout;
    if (timeout !== undefined && time - since > timeout) this.abort(inFlight, AbortReason.timeout);

    const asked = this.#asked.get(task);
    if (asked !== undefined && time - asked.at > this.#settings.grace) {
      this.#listener.onUnyielding(inFlight, asked.reason);
      return;
    }
    if (position + 1 < batch.size && time - since > STUCK_BEHIND_MS) this.#listener.onStuckBehind(inFlight);

    const silentMs = time - Math.max(thread.board.lastBeat, since);
    if (silentMs > this.#settings.stallAfter && !this.#toldSilent.has(task)) {
      this.#toldSilent.add(task);
      this.#listener.onSilent(inFlight, silentMs);
    }
  }

  #forgetEnded(running: TaskInFlight[]): void {
    const tasks = new Set(running.map((inFlight) => inFlight.task));
    for (const task of this.#asked.keys()) if (!tasks.has(task)) this.#asked.delete(task);
  }
}

export { AbortReason };
