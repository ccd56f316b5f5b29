import type { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { atExit } from '../base/at-exit.js';
import type { HoldfastError } from '../base/errors.js';
import { lockLostError, stoppedError } from './executor-errors.js';
import type { ExecutorEvents } from './executor-events.js';
import type { ExecutorParts } from './executor-parts.js';
import { Health } from './health/health.js';
import { HEALTH_FILE } from '../system/state-dir.js';
import { IdleWaiters } from './idle-waiters.js';
import { mendedCounts } from './mended-counts.js';
import { quiet } from './pool/quiet.js';
import { RollCall } from './pool/watch/roll-call.js';
import { countsForBeat } from './queue-beat.js';
import { closeQueue, logLeftBehind } from './run-folder.js';
import type { ExecutorMode } from './status.js';
import { StoppingMark } from './stopping-mark.js';
import type { Submissions } from './submissions.js';
import { Teardowns, type TeardownLoss } from './teardowns.js';
import { summaryOfThreads } from './thread-status.js';

/** What may follow each mode. */
const NEXT: Readonly<Record<ExecutorMode, readonly ExecutorMode[]>> = {
  running: ['paused', 'draining', 'failed', 'stopping'],
  paused: ['running', 'draining', 'failed', 'stopping'],
  draining: ['running', 'failed', 'stopping'],
  failed: ['stopping'],
  stopping: ['stopped'],
  stopped: [],
};

/** How often a paused executor looks whether somebody still waits, in ms. */
const PAUSED_MS = 1_000;

/** In these, whoever holds the lock is about to end. */
const ENDING: ReadonlySet<ExecutorMode> = new Set(['draining', 'stopping']);

/** An executor from its start to its stop: in which mode it is, how it comes to the next, and what ends with it. */
export class ExecutorLife {
  readonly health: Health;
  readonly #parts: ExecutorParts;
  readonly #submissions: Submissions;
  readonly #events: EventEmitter<ExecutorEvents>;
  readonly #teardowns: Teardowns;
  readonly #stoppingMark: StoppingMark;
  readonly #idleWaiters = new IdleWaiters();
  readonly #forgetExit: () => void;
  readonly #endings: (() => unknown)[] = [];
  /** Runs while it is paused; see `#keepAlive`. */
  #paused: NodeJS.Timeout | undefined;
  #mode: ExecutorMode = 'running';
  #error: Error | undefined;
  #tornDown = false;
  #stopping: Promise<void> | undefined;

  constructor(parts: ExecutorParts, submissions: Submissions, events: EventEmitter<ExecutorEvents>) {
    const { dispatcher, lock, options } = parts;
    this.#parts = parts;
    this.#submissions = submissions;
    this.#events = events;
    this.#teardowns = new Teardowns(dispatcher, events);
    this.#stoppingMark = new StoppingMark(lock);
    submissions.onWaiting = () => this.#keepAlive();
    dispatcher.on('idle', () => void this.tellIdle());
    dispatcher.on('broken', (error) => this.#fail(error));
    lock.on('lost', ({ reason }) => this.#fail(lockLostError(lock.path, reason, options.runId)));
    void parts.queue.lost?.then((error) => this.#fail(error));
    this.#forgetExit = atExit(parts.release);
    this.health = this.#startHealth();
  }

  get mode(): ExecutorMode {
    return this.#mode;
  }

  /** Why it failed, if it did. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Called by `stop` once no thread is left, the last one first, while the lock is still held. */
  atEnd(end: () => unknown): void {
    this.#endings.unshift(end);
  }

  pause(): void {
    if (this.#turn('paused')) void this.#parts.dispatcher.close();
  }

  resume(): void {
    if (!this.#tornDown && this.#turn('running')) this.#parts.dispatcher.reopen();
  }

  async drain(): Promise<void> {
    const { dispatcher } = this.#parts;
    this.#turn('draining');
    await dispatcher.close();
    await quiet(dispatcher);
  }

  async tearDown(): Promise<TeardownLoss | undefined> {
    this.#tornDown = true;
    await this.drain();
    await this.#parts.dispatcher.tearDown();
    return this.#teardowns.tell();
  }

  async scale(threads: number): Promise<void> {
    this.#refuseIfEnded();
    try {
      await this.#parts.dispatcher.pool.scale(threads);
    } catch (error) {
      // Threads that were just loading end with the executor.
      throw this.#stopping ? this.#stopped() : error;
    }
  }

  async idle(): Promise<void> {
    this.#refuseIfEnded();
    const idle = this.#idleWaiters.wait();
    this.#keepAlive();
    void this.tellIdle();
    await idle;
  }

  async stop(force: boolean): Promise<void> {
    this.#stopping ??= this.#stop();
    if (force) this.#parts.dispatcher.abortAll();
    await this.#stopping;
  }

  /** To be called whenever the last task may have got its outcome. */
  async tellIdle(): Promise<void> {
    if (!this.#isWaitedFor) return;
    const { queue } = this.#parts;
    try {
      const [{ queued, delayed, running }, held] = await Promise.all([queue.counts(), queue.held(0)]);
      if (!this.#isWaitedFor) return;
      // Here nothing is running: who says so counts wrong, and would have all that wait do so for ever.
      const mended = mendedCounts(await queue.audit(running > 0 ? 'all' : 'waiting'));
      if (mended !== undefined) {
        this.#events.emit('warning', mended);
        void this.tellIdle();
        return;
      }
      if (!this.#isWaitedFor || queued + delayed + running > held.count) return;
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#idleWaiters.resolve();
  }

  /** Whether somebody waits for an end that may have come. What has begun meanwhile ends, and then it is asked again. */
  get #isWaitedFor(): boolean {
    return this.#idleWaiters.size > 0 && this.#parts.dispatcher.idle && this.#submissions.pending === 0;
  }

  /** @returns whether it is in that mode now, and was in another one before */
  #turn(mode: ExecutorMode): boolean {
    if (!NEXT[this.#mode].includes(mode)) return false;
    this.#mode = mode;
    clearInterval(this.#paused);
    this.#paused = mode === 'paused' ? setInterval(() => this.#keepAlive(), PAUSED_MS) : undefined;
    this.#keepAlive();
    this.#stoppingMark.set(ENDING.has(mode));
    this.#events.emit('mode-changed', mode);
    void this.health.modeChanged();
    return true;
  }

  /**
   * A thread with work keeps the process alive. Paused, there is none: whoever waits for an outcome, in a program that
   * does nothing else, would see it end, with exit code 0 and without a word.
   */
  #keepAlive(): void {
    if (this.#submissions.isWaitedFor || this.#idleWaiters.size > 0) this.#paused?.ref();
    else this.#paused?.unref();
  }

  #fail(error: Error): void {
    if (this.#error || this.#mode === 'stopped') return;
    const { dispatcher } = this.#parts;
    this.#error = error;
    this.health.failed(error);
    // While it stops, `stop` tells it.
    if (!this.#turn('failed')) return;
    this.#submissions.close(error);
    void dispatcher.close();
    void quiet(dispatcher).then(() => this.#submissions.abandon(error));
    this.#idleWaiters.reject(error);
    this.#events.emit('failed', error);
  }

  async #stop(): Promise<void> {
    const { dispatcher, queue, lock, runDir, release } = this.#parts;
    const told = this.#error;
    this.#turn('stopping');
    const error = told ?? this.#stopped();
    this.#submissions.close(error);
    this.#idleWaiters.reject(error);
    try {
      await dispatcher.close();
      await quiet(dispatcher);
      this.#submissions.abandon(this.#error ?? error);
      await this.health.stop();
      await dispatcher.end();
      for (const end of this.#endings) await end();
      const stillOurs = () => lock.stillHeld();
      const kept = await closeQueue(queue, runDir, stillOurs).catch((trouble: Error) => this.#fail(trouble));
      const log = queue.traits.outlivesProcess ? logLeftBehind(runDir) : undefined;
      if (log !== undefined) this.#events.emit('warning', log);
      if (kept !== false) await this.health.writeLast();
    } finally {
      this.#forgetExit();
      release();
      this.#turn('stopped');
    }
    // What went wrong before was told when it did.
    if (this.#error !== undefined && this.#error !== told) throw this.#error;
    this.#teardowns.throwUntold();
  }

  #refuseIfEnded(): void {
    if (this.#error || this.#stopping) throw this.#error ?? this.#stopped();
  }

  #stopped(): HoldfastError {
    const { options, queue } = this.#parts;
    return stoppedError(options.runId, queue.traits);
  }

  #startHealth(): Health {
    const { dispatcher, queue, lock, options, runDir } = this.#parts;
    const rollCall = new RollCall(dispatcher.pool, { stallAfter: options.stallAfterMs });
    const health = new Health(
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
        onBeat: (beat) => this.#events.emit('beat', beat),
        onMissed: (event) => this.#events.emit('beat-missed', event),
        onUnwritable: (error) => this.#events.emit('warning', new Error(`health cannot be written: ${error.message}`)),
      },
    );
    health.start();
    return health;
  }
}
