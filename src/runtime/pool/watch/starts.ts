import type { BatchReport } from '../../thread/protocol.js';
import type { ClaimedTask } from '../../queue/contract.js';
import type { Batch } from '../thread/batch.js';
import type { PoolThread } from '../thread/pool-thread.js';
import type { TaskInFlight } from './vital-signs.js';

/**
 * Finds out which attempts have begun, without a message of the threads: from
 * their boards while they run, else from the report that tells of their end.
 * Where nobody listens it costs a question a report.
 */
export class Starts {
  /** Whether anybody wants to know. */
  heard: () => boolean = () => false;
  readonly #tell: (thread: PoolThread, task: ClaimedTask, since: number) => void;
  /** Positions that were told of. */
  readonly #told = new WeakMap<Batch, Set<number>>();

  /** @param tell `since`: on the clock of the boards */
  constructor(tell: (thread: PoolThread, task: ClaimedTask, since: number) => void) {
    this.#tell = tell;
  }

  /** These are running now. */
  onRunning(running: Iterable<Pick<TaskInFlight, 'thread' | 'batch' | 'position' | 'since'>>): void {
    if (!this.heard()) return;
    for (const { thread, batch, position, since } of running) this.#once(thread, batch, position, since);
  }

  /** The task of that lane is running now, as it tells something. */
  onSign(thread: PoolThread, lane: number): void {
    const batch = thread.batches[lane];
    const running = thread.board.running(lane);
    if (batch !== undefined && running !== undefined) this.onRunning([{ thread, batch, ...running }]);
  }

  /** These have ended. */
  onReport(thread: PoolThread, batch: Batch, { first, startedAt }: BatchReport): void {
    if (!this.heard()) return;
    for (let i = 0; i < startedAt.length; i++) this.#once(thread, batch, first + i, startedAt[i]!);
  }

  /** The thread is gone: what was running on it had begun. */
  onDeath(thread: PoolThread): void {
    for (const batch of thread.batches) if (batch !== undefined) this.onSign(thread, batch.lane);
  }

  #once(thread: PoolThread, batch: Batch, position: number, since: number): void {
    const task = batch.tasks[position];
    if (task === undefined) return;
    let told = this.#told.get(batch);
    if (told === undefined) this.#told.set(batch, (told = new Set()));
    if (told.has(position)) return;
    told.add(position);
    this.#tell(thread, task, since);
  }
}
