import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import type { Pool } from '../pool.js';
import type { Batch } from '../thread/batch.js';
import type { PoolThread } from '../thread/pool-thread.js';
import { MAX_BATCH } from './cost-model.js';
import type { Hand } from './hand.js';
import type { Pace } from './pace.js';

export interface FeedListener {
  /** Tasks go to a thread. */
  onSent(count: number): void;
  /** So many came back to the hand: they have not run, or are not to be settled. */
  onBack(count: number): void;
}

/** Brings tasks from the hand to lanes, and those back that have not started. */
export class Feed {
  readonly #pool: Pool;
  readonly #hand: Hand;
  /** Where starts of tasks are limited, a lane is given one at a time. */
  readonly #pace: Pace | undefined;
  readonly #listener: FeedListener;

  constructor(pool: Pool, hand: Hand, pace: Pace | undefined, listener: FeedListener) {
    this.#pool = pool;
    this.#hand = hand;
    this.#pace = pace;
    this.#listener = listener;
  }

  /** Lanes of one thread share its time, so together they get no more than one lane would. */
  get batchLimit(): number {
    if (this.#pace !== undefined) return 1;
    return Math.max(1, Math.floor(MAX_BATCH / (this.#pool.threads[0]?.batches.length ?? 1)));
  }

  /** Gives each free lane a batch, as far as there are tasks in hand. */
  fillLanes(fencingToken: number): void {
    while (this.#hand.size > 0) {
      const free = this.#pool.freeLane();
      if (free === undefined || this.#pace?.room(1) === 0) return;
      const batch = this.#hand.takeBatch(Math.min(this.batchLimit, free.thread.tasksLeft));
      this.send(free.thread, free.lane, batch, fencingToken);
    }
  }

  send(thread: PoolThread, lane: number, tasks: readonly ClaimedTask[], fencingToken: number): void {
    this.#pace?.took(tasks[0]!);
    this.#listener.onSent(tasks.length);
    thread.run(lane, tasks, fencingToken);
  }

  /** Takes what a lane has not started yet back into the hand. */
  takeBack(thread: PoolThread, batch: Batch): void {
    this.putBack(thread.takeRest(batch));
  }

  /** The same of all lanes. @param id of a task: only lanes that were given it */
  takeAllBack(id?: string): void {
    for (const thread of this.#pool.threads) {
      for (const batch of thread.batches) {
        if (batch === undefined) continue;
        if (id === undefined || batch.tasks.some((task) => idOf(task) === id)) this.takeBack(thread, batch);
      }
    }
  }

  putBack(tasks: readonly ClaimedTask[]): void {
    this.#listener.onBack(tasks.length);
    this.#hand.putBack(tasks);
  }
}
