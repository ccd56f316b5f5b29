import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import type { CostModel } from './cost-model.js';

/** Tasks that are claimed and wait for a lane, in the order in which they are to run. */
export class Hand {
  readonly #costs: CostModel;
  #tasks: ClaimedTask[] = [];

  constructor(costs: CostModel) {
    this.#costs = costs;
  }

  get size(): number {
    return this.#tasks.length;
  }

  add(claimed: readonly ClaimedTask[]): void {
    this.#tasks.push(...claimed);
  }

  /** These were on their way already: they come first. */
  putBack(tasks: readonly ClaimedTask[]): void {
    this.#tasks.unshift(...tasks);
  }

  /** Takes out as many tasks as make up one message. One that has killed a thread travels alone. */
  takeBatch(limit: number): ClaimedTask[] {
    let filled = 0;
    let size = 0;
    for (; size < this.#tasks.length && size < limit; size++) {
      const task = this.#tasks[size]!;
      const share = task.crashes > 0 ? 1 : this.#costs.share(task.handler, task.input.length);
      if (size > 0 && filled + share > 1) break;
      filled += share;
    }
    return this.#tasks.splice(0, size);
  }

  /** Takes out the task with that id, if it is here. */
  take(id: string): ClaimedTask | undefined {
    const index = this.#tasks.findIndex((task) => idOf(task) === id);
    return index === -1 ? undefined : this.#tasks.splice(index, 1)[0];
  }

  takeAll(): ClaimedTask[] {
    return this.#tasks.splice(0);
  }
}
