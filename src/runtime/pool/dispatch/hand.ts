import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import type { CostModel } from './cost-model.js';

/** Shares are fractions: those of a full message come to a little more or less than one. */
const FULL = 1 + 1e-9;

/** Tasks that are claimed and wait for a lane, in the order in which they are to run. */
export class Hand {
  readonly #costs: CostModel;
  /** Those before `#next` have left. */
  #tasks: readonly ClaimedTask[] = [];
  #next = 0;

  constructor(costs: CostModel) {
    this.#costs = costs;
  }

  get size(): number {
    return this.#tasks.length - this.#next;
  }

  add(claimed: readonly ClaimedTask[]): void {
    this.#hold(this.size === 0 ? claimed : [...this.takeAll(), ...claimed]);
  }

  /** These were on their way already: they come first. */
  putBack(tasks: readonly ClaimedTask[]): void {
    this.#hold(this.size === 0 ? tasks : [...tasks, ...this.takeAll()]);
  }

  /** Takes out as many tasks as make up one message. One that has killed a thread travels alone. */
  takeBatch(limit: number): readonly ClaimedTask[] {
    const most = Math.min(limit, this.size);
    let filled = 0;
    let count = 0;
    for (; count < most; count++) {
      const task = this.#tasks[this.#next + count]!;
      const share = task.crashes > 0 ? 1 : this.#costs.share(task.handler, task.input.length);
      if (count > 0 && filled + share > FULL) break;
      filled += share;
    }
    const batch = this.#tasks.slice(this.#next, this.#next + count);
    this.#next += count;
    if (this.size === 0) this.#hold([]);
    return batch;
  }

  /** Takes out the task with that id, if it is here. */
  take(id: string): ClaimedTask | undefined {
    const tasks = this.takeAll();
    const task = tasks.find((each) => idOf(each) === id);
    this.#hold(tasks.filter((each) => each !== task));
    return task;
  }

  takeAll(): readonly ClaimedTask[] {
    const tasks = this.#next === 0 ? this.#tasks : this.#tasks.slice(this.#next);
    this.#hold([]);
    return tasks;
  }

  #hold(tasks: readonly ClaimedTask[]): void {
    this.#tasks = tasks;
    this.#next = 0;
  }
}
