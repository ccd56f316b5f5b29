import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { now } from '../../thread/board.js';
import type { Pool } from '../pool.js';
import type { PoolThread } from '../thread/pool-thread.js';

export interface RollCallResult {
  /** Numbers of the threads that are proven to turn. */
  present: number[];
  /** Those that should have shown it and did not. `silentMs`: for so long, with work in them; `null`: they are idle. */
  missing: { thread: number; silentMs: number | null }[];
}

/**
 * Finds out which threads of a pool turn.
 *
 * A busy thread shows it on its board, without a message. An idle one blocks
 * until it is sent something, so it is asked for an answer. A task that needs
 * its thread for itself is no fault before `stallAfter` has gone by; threads
 * that load, or have gone, are not asked for: those in their place are, the
 * next time.
 */
export class RollCall {
  readonly #pool: Pool;
  readonly #stallAfter: number;
  /** When it was taken the last time, as `now` counts; 0: never yet. */
  #calledAt = 0;

  /** @param stallAfter milliseconds for which a thread with work may show nothing */
  constructor(pool: Pool, { stallAfter }: { stallAfter: number }) {
    this.#pool = pool;
    this.#stallAfter = stallAfter;
  }

  /** Resolves once all have shown themselves, at the latest after `withinMs`. */
  async call(withinMs: number): Promise<RollCallResult> {
    const since = this.#calledAt;
    this.#calledAt = now();
    const threads = this.#pool.threads.filter((thread) => thread.loaded && !thread.dead && !thread.tearingDown);
    const idle = new Set(threads.filter((thread) => !thread.busy));
    const present = new Set(threads.filter((thread) => thread.busy && thread.stirredAt > since));
    await answers(idle, present, withinMs);

    const there = new Set(this.#pool.threads);
    const missing: RollCallResult['missing'] = [];
    for (const thread of threads) {
      if (present.has(thread) || thread.dead || !there.has(thread)) continue;
      if (thread.stirredAt > this.#calledAt) present.add(thread);
      else if (!thread.busy) {
        if (idle.has(thread)) missing.push({ thread: thread.number, silentMs: null });
      } else if (thread.silentMs > this.#stallAfter) {
        missing.push({ thread: thread.number, silentMs: thread.silentMs });
      }
    }
    return { present: threads.filter((thread) => present.has(thread)).map(({ number }) => number), missing };
  }
}

/** Pings; puts those that answer in time into `present`. */
async function answers(idle: ReadonlySet<PoolThread>, present: Set<PoolThread>, withinMs: number): Promise<void> {
  if (idle.size === 0) return;
  const pings = [...idle].map(async (thread) => {
    if (await thread.ping()) present.add(thread);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs).unref()));
  await Promise.race([Promise.all(pings), late]);
  clearTimeout(timer);
  if (present.size >= idle.size) return;
  // Where this thread stood still itself, the answers are there, and only behind the timer.
  await turnOfTheLoop();
  await turnOfTheLoop();
}
