import type { ClaimedTask } from '../queue/contract.js';
import { idOf } from '../queue/generated-id.js';
import { now } from '../thread/board.js';
import type { PoolThread } from './pool-thread.js';

/** What a look at a thread found. */
export interface Sighting {
  /** Milliseconds for which the thread stood still for it. */
  pauseMs: number;
  /** Where a task stood, as `TaskErrorRecord.stuckAt` has it. */
  stuckAt(taskId: string): string;
}

/** Looks at one thread, and makes it stand still meanwhile: it, and no other. */
export type Look = (threadId: number) => Promise<Sighting>;

/**
 * Why it is asked where a task stands. `stalled`: it has been running for long;
 * `silent`: and its thread's event loop has not turned; `timed-out`: it is about
 * to be asked to stop; `unyielding`: it did not, and its thread is about to be ended.
 */
export type Concern = 'stalled' | 'silent' | 'timed-out' | 'unyielding';

/**
 * An abort waits so many ms for a look, and so does the end of a thread. Mostly it is over after half a second;
 * a large heap, or a machine with too much to do, takes some.
 */
const LOOK_LIMIT_MS = 5_000;

/** Threads that are looked at at a time: more would only make each of them stand longer. */
const AT_ONCE = 2;

/**
 * After a look a thread is left alone for ten times as long as it had to stand, and so many ms at least: its other
 * tasks stood, too. Where it has but one at a time, as long as it stood is enough.
 */
const REST_FACTOR = 10;
const REST_MS = 1_000;

/** A look at a thread. */
interface LookAt {
  /** As `now` counts. */
  begunAt: number;
  /** `undefined`: it is under way. */
  sighting: Sighting | undefined;
}

/** That it was asked where a task stands. */
interface Asked {
  /** As `now` counts. */
  at: number;
  /** `undefined`: none could begin yet. */
  look: LookAt | undefined;
}

/**
 * Finds out where tasks stand that are stuck. Before there is one, no thread
 * is looked at and nothing is loaded. Tasks of one thread share a look.
 */
export class Lookout {
  readonly #look: Look;
  /** Of each attempt, known by its start, what was asked. */
  readonly #asked = new WeakMap<ClaimedTask, { since: number; of: Map<Concern, Asked> }>();
  readonly #underWay = new Map<PoolThread, { look: LookAt; over: Promise<void> }>();
  /** The last look at each thread that is over. */
  readonly #last = new WeakMap<PoolThread, LookAt>();
  /** As `now` counts. */
  readonly #restsUntil = new WeakMap<PoolThread, number>();

  constructor(look: Look) {
    this.#look = look;
  }

  /**
   * Whether a task that is running was looked at, or is not to be waited for
   * any longer. To be asked again until it is true: a look begins as soon as
   * it may.
   *
   * @param since when the attempt began, as `now` counts
   */
  hasLooked(thread: PoolThread, task: ClaimedTask, since: number, concern: Concern): boolean {
    let attempt = this.#asked.get(task);
    if (attempt?.since !== since) this.#asked.set(task, (attempt = { since, of: new Map() }));
    let asked = attempt.of.get(concern);
    if (asked === undefined) attempt.of.set(concern, (asked = { at: now(), look: undefined }));
    asked.look ??= this.#begun(thread, since);
    if (asked.look?.sighting !== undefined) return true;
    // Whoever only wants to tell of it has time.
    if (concern === 'stalled' || concern === 'silent') return false;
    // A thread that rests is not being looked at.
    return this.#rests(thread) || now() - asked.at > LOOK_LIMIT_MS;
  }

  /**
   * Where a task stood, if anybody asked; in words, also where that is not known.
   * @param since when the attempt began, as `now` counts
   */
  stuckAt(thread: PoolThread, task: ClaimedTask, since: number): string | undefined {
    if (this.#asked.get(task)?.since !== since) return undefined;
    const last = this.#last.get(thread);
    if (last !== undefined && last.begunAt >= since) return last.sighting!.stuckAt(idOf(task));
    if (this.#underWay.has(thread)) return 'not known: it was over before its thread could be looked at';
    return 'not known: its thread was looked at shortly before, and not made to stand again';
  }

  /** Resolves when no thread is looked at any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ over }) => over));
  }

  /** A look that began after the attempt did: one that is under way, or a new one. */
  #begun(thread: PoolThread, since: number): LookAt | undefined {
    const underWay = this.#underWay.get(thread)?.look;
    if (underWay !== undefined) return underWay.begunAt >= since ? underWay : undefined;
    const { threadId } = thread;
    if (threadId === undefined || this.#underWay.size >= AT_ONCE || this.#rests(thread)) return undefined;
    const look: LookAt = { begunAt: now(), sighting: undefined };
    this.#underWay.set(thread, { look, over: this.#lookAt(thread, threadId, look) });
    return look;
  }

  async #lookAt(thread: PoolThread, threadId: number, look: LookAt): Promise<void> {
    try {
      look.sighting = await this.#look(threadId);
    } catch (error) {
      const why = `not known: its thread could not be looked at: ${(error as Error).message}`;
      look.sighting = { pauseMs: 0, stuckAt: () => why };
    }
    this.#underWay.delete(thread);
    this.#last.set(thread, look);
    const { pauseMs } = look.sighting;
    const rest = thread.board.lanes === 1 ? pauseMs : Math.max(REST_MS, REST_FACTOR * pauseMs);
    this.#restsUntil.set(thread, now() + rest);
  }

  #rests(thread: PoolThread): boolean {
    return now() < (this.#restsUntil.get(thread) ?? 0);
  }
}
