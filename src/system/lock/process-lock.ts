import { EventEmitter } from 'node:events';
import { closeSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.js';
import { ExecutorRunningError } from './executor-running-error.js';
import { isGone, readHolder, thisProcess, writeHolder } from './holder.js';
import type { LockHolder } from './holder.js';
import { isHeld, tryLock } from './kernel-lock.js';
import { identify, lockFile, reading, removeUnheld, whereabouts } from './lock-file.js';
import type { OpenFile } from './open-file.js';
import { telling } from './lock-path-errors.js';
import { lossOf, watch } from './watch.js';
import type { LossReason } from './watch.js';

/** What a lock is made of. */
export interface ProcessLockOptions {
  /** Of the lock file. It and its folder are made when missing (0600, 0700). */
  path: string;
  /** The run that the lock is for. */
  runId: string;
  /** How often to check whether the lock file is still in its place, in milliseconds. Default 500. */
  watchIntervalMs?: number;
}

/** What `acquire` takes. */
export interface AcquireOptions {
  /** How long to wait for a holder to end, in milliseconds. Default 0: not at all. */
  waitMs?: number;
  /** Ends the waiting; `acquire` then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A holder that has died may have left a process that writes down, or ends, what
 * it left behind, and holds the lock for that; it takes milliseconds, or as long
 * as programs are given to end. In ms.
 */
const FAREWELL_MS = 5000;

// Bounds how long a lock lies free after its holder died. One look costs some 30 µs.
const POLL_MS = 10;

/**
 * The lock of one run: one holder at a time on this host, for as long as the
 * holder lives and no longer. The kernel keeps it; the file says who
 * holds it, and its existence means nothing.
 *
 * Emits `lost` once, with `{ reason }`, when the lock file was deleted or
 * replaced by somebody else. The lock is then not held any more: another
 * process can have it.
 *
 * Methods throw `ERR_LOCK_PATH` when something else than a plain file lies in
 * the lock's place, and `ERR_STATE_DIR` when the file cannot be made, read or
 * written; its `cause` is the system's error.
 */
export class ProcessLock extends EventEmitter<{ lost: [{ reason: LossReason }] }> {
  /** Of the lock file. */
  readonly path: string;
  readonly runId: string;
  readonly #watchIntervalMs: number;
  #file: OpenFile | undefined;
  /** Whether another process may have the same open file, and hold the lock by it. */
  #shared = false;
  #endWatch: (() => void) | undefined;

  constructor({ path, runId, watchIntervalMs = 500 }: ProcessLockOptions) {
    super();
    this.path = resolve(path);
    this.runId = runId;
    this.#watchIntervalMs = watchIntervalMs;
  }

  /** Whether this object holds the lock, as far as it has noticed: see `stillHeld`. */
  get held(): boolean {
    return this.#file !== undefined;
  }

  /**
   * The same, looked up now: for whoever is about to remove or replace what belongs to the run. A loss emits
   * `lost`, at once. Costs a few µs.
   */
  stillHeld(): boolean {
    if (this.#file === undefined) return false;
    const reason = lossOf(this.path, this.#file);
    if (reason === undefined) return true;
    this.#lose(reason);
    return false;
  }

  /**
   * The descriptor that holds the lock, to be handed to a child as an extra
   * `stdio` entry; the child takes it with `adopt`. `undefined` while not held.
   */
  get fd(): number | undefined {
    this.#shared = true;
    return this.#file?.fd;
  }

  /** Takes the lock if it is free. Never waits for a holder. `false` also when this very object holds it. */
  tryAcquire(): boolean {
    return this.tryAcquireBy(undefined);
  }

  /**
   * @param opened the lock file, if it is open already; `fd` is its descriptor then, unless the file was replaced
   * meanwhile. Closed where it is not
   * @internal
   */
  tryAcquireBy(opened: OpenFile | undefined): boolean {
    if (this.#file) return false;
    const file = lockFile(this.path, true, opened);
    if (typeof file === 'string') return false;
    this.#take(file);
    try {
      telling(this.path, () => writeHolder(file.fd, thisProcess(this.runId)));
    } catch (error) {
      this.release();
      throw error;
    }
    return true;
  }

  /**
   * Takes the lock, or throws `ExecutorRunningError`: at once, or after
   * `waitMs`. Where its holder is dead, what that left behind is waited for, up
   * to 5 s. When this very object holds it already, always at once.
   */
  async acquire({ waitMs = 0, signal }: AcquireOptions = {}): Promise<this> {
    const start = performance.now();
    for (;;) {
      signal?.throwIfAborted();
      if (this.tryAcquire()) return this;
      const waitedMs = performance.now() - start;
      const isPatient = waitedMs < waitMs || (waitedMs < FAREWELL_MS && isGone(this.holder()));
      if (this.#file || !isPatient) throw this.#alreadyRunning();
      // Woken by the signal, the loop throws its reason.
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * Takes over the lock that a parent holds through the descriptor `fd`, which
   * this process inherited from it. The details in the file stay the parent's.
   * From then on the lock is free only when both have released it, or died.
   *
   * Throws `ERR_LOCK_LOST` when `fd` does not hold this lock, `ExecutorRunningError`
   * when another process does.
   */
  adopt(fd: number): void {
    if (this.#file) throw this.#alreadyRunning();
    telling(this.path, () => {
      const file = this.#identifyHandedOver(fd);
      // Somebody holds it, and `fd` may lock it nevertheless: so it is `fd` that holds it.
      const locked = this.isLocked();
      if (locked && tryLock(fd) !== 'acquired') throw this.#alreadyRunning();
      if (!locked || whereabouts(this.path, file) !== 'there') {
        throw this.#notOurs(`descriptor ${fd} does not hold it`);
      }
      this.#take(file);
      this.#shared = true;
    });
  }

  /** Adds to the details in the lock file. Throws `ERR_LOCK_LOST` when the lock is not held. */
  describe(more: Pick<LockHolder, 'controlSocket' | 'stopping'>): void {
    const file = this.#file;
    if (!file) throw this.#notOurs('this process does not hold it');
    telling(this.path, () => {
      const holder = readHolder(file.fd) ?? thisProcess(this.runId);
      writeHolder(file.fd, { ...holder, ...more });
    });
  }

  /**
   * Lets the lock go and removes its file, unless a process that shares the
   * lock (see `adopt`) still holds it: then that one does so when it releases.
   * Does nothing when the lock is not held.
   */
  release(): void {
    const file = this.#file;
    if (!file) return;
    const shared = this.#shared;
    try {
      // While it is held, nobody else may take the file for the lock's own.
      if (!shared && whereabouts(this.path, file) === 'there') unlinkSync(this.path);
    } catch {
      // The lock becomes free all the same; a file that stays behind means nothing.
    }
    // Closed, never unlocked: that would take the lock from who shares it, too.
    this.#letGo();
    if (shared) this.#removeIfLast(file);
  }

  /** A process that shares the lock may still hold it: only who lets it go last removes the file. */
  #removeIfLast(file: OpenFile): void {
    try {
      if (whereabouts(this.path, file) === 'there') removeUnheld(this.path);
    } catch {
      // As above.
    }
  }

  /** Who holds the lock, or held it last and died with it. `undefined` when nobody is known. */
  holder(): LockHolder | undefined {
    return reading(this.path, readHolder);
  }

  /** Whether any process holds the lock, this one included. Asks the kernel. */
  isLocked(): boolean {
    return reading(this.path, isHeld) ?? false;
  }

  /**
   * Removes what a dead holder left behind; `false` if there was nothing.
   * Throws `ExecutorRunningError` while a holder lives: nobody's lock is ever broken.
   */
  forceUnlock(): boolean {
    const found = removeUnheld(this.path);
    if (found !== 'held') return found === 'removed';
    const holder = this.holder();
    const kill = holder ? `, or kill ${holder.pid} on ${holder.hostname}` : '';
    throw this.#alreadyRunning(`End its holder, and the lock is free: runtime drain ${this.runId}${kill}.`);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  #take(file: OpenFile): void {
    this.#file = file;
    this.#endWatch = watch(this.path, file, this.#watchIntervalMs, (reason) => this.#lose(reason));
  }

  #lose(reason: LossReason): void {
    this.#letGo();
    this.emit('lost', { reason });
  }

  #letGo(): void {
    this.#endWatch?.();
    closeSync(this.#file!.fd);
    this.#file = undefined;
  }

  #identifyHandedOver(fd: number): OpenFile {
    try {
      return identify(fd);
    } catch (cause) {
      throw this.#notOurs(`descriptor ${fd} was not handed over by the parent process`, cause);
    }
  }

  #alreadyRunning(hint?: string): ExecutorRunningError {
    return new ExecutorRunningError({ runId: this.runId, path: this.path, holder: this.holder(), hint });
  }

  #notOurs(why: string, cause?: unknown): HoldfastError {
    const message = `no hold on the lock of run "${this.runId}": ${why} (lock: ${this.path})`;
    return new HoldfastError('ERR_LOCK_LOST', message, { cause });
  }
}
