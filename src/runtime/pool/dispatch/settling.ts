import type { ClaimedTask, Settlement, TaskQueue } from '../../queue/contract.js';

export interface SettlingListener {
  /** What became of tasks is durable. `tasks`, `settlements` and `ordinals` (of the outcomes only) run in step. */
  onSettled(tasks: readonly ClaimedTask[], settlements: readonly Settlement[], ordinals: readonly number[]): void;
  /** What became of tasks could not be written. */
  onFailed(error: Error): void;
}

/** Writes what became of tasks, and counts those of which that is not durable yet. */
export class Settling {
  readonly #listener: SettlingListener;
  /** Tasks that are on a thread, or whose settlement is not durable yet. */
  #open = 0;

  constructor(listener: SettlingListener) {
    this.#listener = listener;
  }

  /** Whether nothing is left to be settled. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  /** So many tasks are now to be settled, as they go to a thread. */
  expect(count: number): void {
    this.#open += count;
  }

  /** So many are not, as they were taken back. */
  unexpect(count: number): void {
    this.#open -= count;
  }

  /** @param tasks that are expected */
  async settle(queue: TaskQueue, tasks: readonly ClaimedTask[], settlements: readonly Settlement[]): Promise<void> {
    let ordinals: number[];
    try {
      ordinals = await queue.settle(settlements);
    } catch (error) {
      this.#open -= tasks.length;
      this.#listener.onFailed(error as Error);
      return;
    }
    this.#open -= tasks.length;
    this.#listener.onSettled(tasks, settlements, ordinals);
  }
}
