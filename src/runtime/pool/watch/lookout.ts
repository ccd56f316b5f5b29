import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import { now } from '../../thread/board.js';
import type { PoolThread } from '../thread/pool-thread.js';

/** What a look at a thread found. */
export interface Sighting {
  /** Milliseconds for which the thread stood still for it. */
  pauseMs: number;
  /** Where a task stood, as `TaskErrorRecord.stuckAt` has it. */
  stuckAt(taskId: string): string;
}

/** What a look has to mind. */
export interface Haste {
  /** Milliseconds for which the thread may stand from now on; `undefined`: nobody waits for it. */
  withinMs: number | undefined;
  /** Whether somebody waits for what is seen: then the stack is enough, where it tells. */
  urgent: boolean;
  /** Aborted once a task that is looked at has been told to stop: from then on it may stand elsewhere. */
  told: AbortSignal;
  /** Called when what the thread did and awaited is caught; what it does later makes no difference. */
  onSeen(): void;
}

/** Looks at one thread, and makes it stand still meanwhile: it, and no other. */
export type Look = (threadId: number, haste: Haste) => Promise<Sighting>;

/**
 * Why it is asked where a task stands. `stalled`: it has been running for long;
 * `silent`: and its thread's event loop has not turned; `timed-out`: it is about
 * to be asked to stop; `unyielding`: it did not, and its thread is about to be ended.
 */
export type Concern = 'stalled' | 'silent' | 'timed-out' | 'unyielding';

/** An abort waits so many ms for a look, and so does the end of a thread. The stack of a thread is there by then, and a small heap. */
export const LOOK_LIMIT_MS = 250;

/** What was seen by then takes a while to be read. Whoever only tells of it, or records it, waits so many ms more. */
const READ_LIMIT_MS = 750;

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
  /** When what is told of it was caught, as `now` counts; `undefined`: not yet. */
  seenAt: number | undefined;
  /** `undefined`: it is under way. */
  sighting: Sighting | undefined;
  told: AbortController;
  /** Resolves when it is over. */
  over: Promise<void>;
  /** The same, or when it takes too long for those who only want to tell of it. */
  read: Promise<void> | undefined;
}

/** That it was asked where a task stands. */
interface Asked {
  /** As `now` counts. */
  at: number;
  /** When it was no longer waited for, and so the task was told; as `now` counts. */
  givenUpAt: number | undefined;
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
  readonly #underWay = new Map<PoolThread, LookAt>();
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
   * @param freeMs gives how many ms there are until a task of its thread is out of time, if there is one
   */
  hasLooked(
    thread: PoolThread,
    task: ClaimedTask,
    since: number,
    concern: Concern,
    freeMs: () => number | undefined = () => undefined,
  ): boolean {
    let attempt = this.#asked.get(task);
    if (attempt?.since !== since) this.#asked.set(task, (attempt = { since, of: new Map() }));
    let asked = attempt.of.get(concern);
    if (asked === undefined) attempt.of.set(concern, (asked = { at: now(), givenUpAt: undefined, look: undefined }));
    // Whoever only wants to tell of it has time.
    const urgent = concern === 'timed-out' || concern === 'unyielding';
    const { at } = asked;
    asked.look ??= this.#begun(thread, since, urgent, urgent ? () => at + LOOK_LIMIT_MS - now() : freeMs);
    if (asked.look?.sighting !== undefined) return true;
    if (!urgent) return false;
    // A thread that rests is not being looked at.
    if (!this.#rests(thread) && now() - asked.at <= LOOK_LIMIT_MS) return false;
    asked.givenUpAt ??= now();
    this.#underWay.get(thread)?.told.abort();
    return true;
  }

  /**
   * Resolves once it can be told where a task stood, which was asked before and
   * is being read, or takes too long; `undefined` where nothing is waited for.
   * @param since when the attempt began, as `now` counts
   */
  reading(thread: PoolThread, task: ClaimedTask, since: number): Promise<void> | undefined {
    const look = this.#underWay.get(thread);
    if (look === undefined || look.begunAt < since || this.#asked.get(task)?.since !== since) return undefined;
    return (look.read ??= within(READ_LIMIT_MS, look.over));
  }

  /**
   * Where a task stood, if anybody asked; in words, also where that is not known.
   * @param since when the attempt began, as `now` counts
   */
  stuckAt(thread: PoolThread, task: ClaimedTask, since: number): string | undefined {
    const attempt = this.#asked.get(task);
    if (attempt?.since !== since) return undefined;
    const last = this.#last.get(thread);
    if (last === undefined || last.begunAt < since) {
      if (this.#underWay.has(thread)) return 'not known: it was over before its thread could be inspected';
      return 'not known: its thread was inspected shortly before, and not paused again';
    }
    const toldAt = attempt.of.has('unyielding') ? undefined : attempt.of.get('timed-out')?.givenUpAt;
    if (toldAt !== undefined && last.begunAt < toldAt && (last.seenAt ?? Infinity) > toldAt) {
      return `not known: its thread could not be inspected within ${LOOK_LIMIT_MS}ms, and then it was asked to stop`;
    }
    return last.sighting!.stuckAt(idOf(task));
  }

  /** Resolves when no thread is looked at any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ over }) => over));
  }

  /** A look that began after the attempt did: one that is under way, or a new one. */
  #begun(thread: PoolThread, since: number, urgent: boolean, withinMs: () => number | undefined): LookAt | undefined {
    const underWay = this.#underWay.get(thread);
    if (underWay !== undefined) return underWay.begunAt >= since ? underWay : undefined;
    const { threadId } = thread;
    if (threadId === undefined || this.#underWay.size >= AT_ONCE || this.#rests(thread)) return undefined;
    const look: LookAt = {
      begunAt: now(),
      seenAt: undefined,
      sighting: undefined,
      told: new AbortController(),
      over: Promise.resolve(),
      read: undefined,
    };
    this.#underWay.set(thread, look);
    look.over = this.#lookAt(thread, threadId, look, {
      withinMs: withinMs(),
      urgent,
      told: look.told.signal,
      onSeen: () => (look.seenAt = now()),
    });
    return look;
  }

  async #lookAt(thread: PoolThread, threadId: number, look: LookAt, haste: Haste): Promise<void> {
    try {
      look.sighting = await this.#look(threadId, haste);
    } catch (error) {
      const why = `not known: its thread could not be inspected: ${(error as Error).message}`;
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

/** Resolves when `over` does, or after so many ms. */
function within(ms: number, over: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void over.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
