import type { ClaimedTask, Settled, Settlement, Claiming } from '../../queue/contract.js';

export interface SettlingListener {
  /** What became of tasks is durable. `tasks`, `settlements` and `ordinals` (of the outcomes only) run in step. */
  onSettled(tasks: readonly ClaimedTask[], settlements: readonly Settlement[], ordinals: readonly number[]): void;
  /** Somebody else has to say what becomes of these: nothing was written of them. */
  onRefused(tasks: readonly ClaimedTask[]): void;
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
  async settle(queue: Claiming, tasks: readonly ClaimedTask[], settlements: readonly Settlement[]): Promise<void> {
    let settled: Settled;
    try {
      settled = await queue.settle(settlements);
    } catch (error) {
      this.#open -= tasks.length;
      this.#listener.onFailed(error as Error);
      return;
    }
    this.#open -= tasks.length;
    const { ordinals, refused } = settled;
    if (refused.length === 0) this.#listener.onSettled(tasks, settlements, ordinals);
    else this.#onPart(tasks, settlements, settled);
  }

  #onPart(tasks: readonly ClaimedTask[], settlements: readonly Settlement[], { ordinals, refused }: Settled): void {
    const isRefused = new Set(refused);
    const taken = settlements.map((settlement) => !isRefused.has(settlement));
    this.#listener.onRefused(tasks.filter((_, index) => !taken[index]));
    this.#listener.onSettled(
      tasks.filter((_, index) => taken[index]),
      settlements.filter((_, index) => taken[index]),
      ordinals,
    );
  }
}
