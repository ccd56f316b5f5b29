import type { ClaimedTask, Settlement, Claiming, Work } from '../../queue/contract.js';
import { claimOver } from '../../queue/refusals.js';
import { cancelledBeforeStart } from '../judge/conclude.js';
import type { Pool } from '../pool.js';
import type { Batch } from '../thread/batch.js';
import type { PoolThread } from '../thread/pool-thread.js';
import { Claims } from './claims.js';
import { CostModel } from './cost-model.js';
import { Delayed } from './delayed.js';
import { Feed } from './feed.js';
import { Gathering } from './gathering.js';
import { Hand } from './hand.js';
import type { Pace } from './pace.js';
import { Settling, type SettlingListener } from './settling.js';
import { Trials } from './trials.js';

/** `unopened`: there is no queue yet. `broken`: queue or pool failed, and nothing is claimed any more. */
type Mode = 'unopened' | 'open' | 'closed' | 'broken';

const NEXT: Record<Mode, readonly Mode[]> = {
  unopened: ['open', 'closed', 'broken'],
  open: ['closed', 'broken'],
  closed: ['open', 'broken'],
  broken: [],
};

export interface PumpListener extends Pick<SettlingListener, 'onSettled'> {
  /** It is about to claim, for the first time or again. */
  onOpen(): void;
  /** Tasks go to a thread. */
  onRun(): void;
  /** Nothing is running, and nothing waits in hand. */
  onIdle(): void;
  /** The queue or the pool failed. */
  onBroken(error: Error): void;
}

/**
 * Claims tasks and feeds the threads.
 *
 * Tasks are claimed a little ahead of need and kept in the hand, so that a lane
 * that becomes free need not wait for the queue; long tasks, which would only
 * wait there, are claimed when a lane is free.
 */
export class Pump {
  readonly costs = new CostModel();
  readonly #pool: Pool;
  readonly #mayTake: () => boolean;
  /** Where starts of tasks are limited, no more is claimed than may start. */
  readonly #pace: Pace | undefined;
  readonly #listener: PumpListener;
  readonly #hand = new Hand(this.costs);
  readonly #trials = new Trials();
  readonly #claims: Claims;
  readonly #delayed: Delayed;
  readonly #feed: Feed;
  readonly #settling: Settling;
  readonly #gathering: Gathering;
  #queue!: Claiming;
  #mode: Mode = 'unopened';
  #brokenBy: Error | undefined;
  /** What is done whenever a lane or a task may have become free. `alone`: it is open, and there are suspects. */
  readonly #steps: Record<Mode | 'alone', () => void> = {
    unopened: () => {},
    open: () => {
      this.#feed.fillLanes(this.#queue.member);
      this.#claimAhead();
      this.#settleIfBest();
    },
    alone: () => this.#tryOne(),
    closed: () => {},
    broken: () => {},
  };

  /**
   * @param now milliseconds since the epoch, as the queue counts
   * @param mayTake whether there is memory for more
   * @param pace it is to call `pump` when a task may start again
   */
  constructor(pool: Pool, now: () => number, mayTake: () => boolean, pace: Pace | undefined, listener: PumpListener) {
    this.#pool = pool;
    this.#pace = pace;
    this.#mayTake = mayTake;
    this.#listener = listener;
    const onFailed = (error: Error) => this.break(error);
    this.#claims = new Claims(now, onFailed);
    this.#delayed = new Delayed(now, { onDue: () => this.#claimAgain(), onFailed });
    this.#feed = new Feed(pool, this.#hand, pace, {
      onSent: (count) => {
        this.#settling.expect(count);
        listener.onRun();
      },
      onBack: (count) => this.#settling.unexpect(count),
    });
    this.#settling = new Settling({
      onSettled: (tasks, settlements, ordinals) => this.#onSettled(tasks, settlements, ordinals),
      onRefused: (tasks) => this.#onRefused(tasks),
      onFailed,
    });
    this.#gathering = new Gathering((tasks, settlements) => this.#settling.settle(this.#queue, tasks, settlements));
  }

  /** Whether no task is on a thread, in hand, or not durable yet. */
  get idle(): boolean {
    return this.#settling.isDone && this.#hand.size === 0 && !this.#claims.underWay;
  }

  /** Starts claiming. `suspects`: how many the queue holds. */
  open(queue: Claiming, suspects: number): void {
    this.#queue = queue;
    if (suspects > 0) this.#trials.came();
    queue.onWork((work) => this.#onWork(work));
    // A thread may have failed to load before anybody listened.
    if (this.#brokenBy) this.#listener.onBroken(this.#brokenBy);
    else this.reopen();
  }

  /** Whatever brought it, this process or another one. */
  #onWork(work: Work): void {
    if (work === 'suspect') this.#trials.came();
    else this.#claims.cameMore();
    if (work === 'delayed') this.#delayed.came();
    this.pump();
  }

  /** Goes on after `close`. */
  reopen(): void {
    if (!this.#become('open')) return;
    this.#listener.onOpen();
    this.#claimAgain();
  }

  /** Stops claiming, and gives back to the queue what has not started. What runs goes on. */
  async close(): Promise<void> {
    this.stop();
    this.#feed.takeAllBack();
    await this.#giveBack(this.#hand.takeAll());
    this.#tellIfIdle();
  }

  /** Stops claiming. */
  stop(): void {
    this.#become('closed');
    this.#gathering.flush();
    this.#delayed.cancel();
    this.#pace?.stop();
  }

  /** From now on nothing is claimed any more; why is reported once. */
  break(error: Error): void {
    if (this.#become('broken')) {
      this.#brokenBy = error;
      this.#listener.onBroken(error);
    }
    this.#tellIfIdle();
  }

  /** Does what can be done now. */
  pump(): void {
    if (!this.#mayTake()) return;
    this.#steps[this.#isOpen && this.#trials.alone ? 'alone' : this.#mode]();
  }

  /** Has tasks that wait behind a slow one go elsewhere, if a lane is free. */
  moveOn(thread: PoolThread, batch: Batch): void {
    if (!this.#isOpen || this.#trials.alone || this.#pool.freeLanes() === 0) return;
    this.#feed.takeBack(thread, batch);
    this.pump();
  }

  /** Cancels a task that no thread has taken up; false if it is not here. */
  cancel(id: string): boolean {
    this.#feed.takeAllBack(id);
    const task = this.#hand.take(id);
    if (task !== undefined) {
      this.#settling.expect(1);
      this.settle([task], [cancelledBeforeStart(task)]);
    }
    this.pump();
    return task !== undefined;
  }

  /** These did not run on a thread that is gone, or are not to blame for its end: they run elsewhere. */
  returned(tasks: readonly ClaimedTask[]): void {
    this.#feed.putBack(tasks);
    if (!this.#isOpen || this.#trials.underWay) void this.#giveBack(this.#hand.takeAll());
    this.pump();
  }

  /** Writes what became of tasks that were on a thread. */
  settle(tasks: readonly ClaimedTask[], settlements: readonly Settlement[]): void {
    const mayWait = this.#isOpen && this.#hand.size > 0 && this.#queue.traits.outlivesProcess;
    if (mayWait) this.#gathering.add(tasks, settlements);
    else void this.#settling.settle(this.#queue, tasks, settlements);
  }

  /** What was gathered shares the write of a claim, and waits for nothing where no more work is in hand. */
  #settleIfBest(): void {
    if (this.#gathering.isEmpty) return;
    const isNow = this.#claims.underWay || this.#hand.size === 0 || this.#pool.freeLane() !== undefined;
    if (isNow) this.#gathering.flush();
  }

  get #isOpen(): boolean {
    return this.#mode === 'open';
  }

  #become(next: Mode): boolean {
    if (!NEXT[this.#mode].includes(next)) return false;
    this.#mode = next;
    return true;
  }

  /** Asks the queue anew, as what it was last asked was of another time. */
  #claimAgain(): void {
    this.#claims.cameMore();
    this.pump();
  }

  #claimAhead(): void {
    if (!this.#claims.mayFind) return;
    const lanes = this.#pool.freeLanes();
    const batch = Math.min(this.costs.typicalBatch, this.#feed.batchLimit);
    const full = this.#pace?.room(lanes) ?? batch * lanes + this.costs.ahead * this.#pool.size;
    this.#claims.fillUp(this.#queue, full, this.#hand.size, (tasks, isAll) => {
      if (isAll) this.#delayed.schedule(this.#queue, () => this.#isOpen);
      this.#hand.add(tasks);
      if (!this.#isOpen) void this.#giveBack(this.#hand.takeAll());
      this.pump();
      this.#tellIfIdle();
    });
  }

  /** One suspect at a time, and nothing beside it. */
  #tryOne(): void {
    if (this.#trials.underWay) return;
    this.#feed.takeAllBack();
    if (this.#hand.size > 0) {
      void this.#giveBack(this.#hand.takeAll());
      return;
    }
    // A thread that is being loaded takes the place of one that died: the suspect is tried there, where nothing ran.
    if (!this.idle || this.#pool.loading || !this.#pool.freshestLane() || this.#pace?.room(1) === 0) return;
    this.#claims.suspect(this.#queue, (suspect) => {
      if (suspect === undefined) {
        this.#trials.noneLeft();
        this.#claimAgain();
        this.#tellIfIdle();
        return;
      }
      this.#trials.begin(suspect);
      const free = this.#isOpen ? this.#pool.freshestLane() : undefined;
      if (free) this.#feed.send(free.thread, free.lane, [suspect], this.#queue.member);
      else void this.#giveBack([suspect]);
    });
  }

  /** Gives tasks that have not started back to the queue. */
  async #giveBack(tasks: readonly ClaimedTask[]): Promise<void> {
    if (tasks.length === 0) return;
    this.#settling.expect(tasks.length);
    const settlements = tasks.map((task) => this.#trials.givenBack(task));
    await this.#settling.settle(this.#queue, tasks, settlements);
  }

  #onSettled(tasks: readonly ClaimedTask[], settlements: readonly Settlement[], ordinals: readonly number[]): void {
    this.#trials.end(tasks);
    this.#listener.onSettled(tasks, settlements, ordinals);
    this.pump();
    this.#tellIfIdle();
  }

  #onRefused(tasks: readonly ClaimedTask[]): void {
    this.#trials.end(tasks);
    // Others who share the queue may have been given them; who has it alone was robbed.
    if (!this.#queue.traits.shared) this.break(claimOver(tasks[0]!.seq));
  }

  #tellIfIdle(): void {
    if (this.idle) this.#listener.onIdle();
  }
}
