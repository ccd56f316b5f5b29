/** How many tasks of the memory store stand where. */
import type { TaskCounts } from '../../task/task.js';
import type { MemoryTask, State } from './memory-task.js';

const NONE: Readonly<Record<State, number>> = {
  queued: 0,
  delayed: 0,
  suspect: 0,
  running: 0,
  done: 0,
  failed: 0,
  crashed: 0,
  'timed-out': 0,
  cancelled: 0,
};

export class Counts {
  readonly #of: Record<State, number> = { ...NONE };

  of(state: State): number {
    return this.#of[state];
  }

  /** A new task, which is queued. */
  add(): void {
    this.#of.queued += 1;
  }

  move(task: MemoryTask, to: State): void {
    this.moved(1, task.state, to);
    task.state = to;
  }

  /** The states of so many tasks, which were all the same, are another one now. */
  moved(count: number, from: State, to: State): void {
    this.#of[from] -= count;
    this.#of[to] += count;
  }

  clear(): void {
    Object.assign(this.#of, NONE);
  }

  /** As they are told: outside, a suspect is just queued. */
  told(): TaskCounts {
    const { suspect, ...counts } = this.#of;
    return { ...counts, queued: counts.queued + suspect };
  }
}
