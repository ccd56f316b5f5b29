/**
 * The ready tasks of the memory store, in the order they are to run: highest
 * priority first, then in the order of arrival. New tasks join and leave in
 * constant time, however many wait; those that come back find their old place.
 *
 * Taking a task out by name would mean searching for it. Instead each place is
 * only a hint: whoever shifts asks the task whether it still waits there, so a
 * cancelled task's place is stepped over, as is the old one of a task whose
 * priority has changed; and one that has two places in the line (cancelled,
 * then made ready again) leaves by the first.
 */
import { Heap } from './heap.js';
import type { MemoryTask } from './memory-task.js';

/** Whether a task came before another one. */
export function isBefore(a: MemoryTask, b: MemoryTask): boolean {
  return a.claim.seq < b.claim.seq;
}

/** Tasks of one priority. */
class Lane {
  readonly priority: number;
  /** In the order of arrival, which is the order of seq: each knows the `next`. A task arrives once. */
  #first: MemoryTask | undefined;
  #last: MemoryTask | undefined;
  readonly #returned = new Heap<MemoryTask>(isBefore);

  constructor(priority: number) {
    this.priority = priority;
  }

  append(task: MemoryTask): void {
    if (this.#last === undefined) this.#first = task;
    else this.#last.next = task;
    this.#last = task;
  }

  putBack(task: MemoryTask): void {
    this.#returned.push(task);
  }

  shift(): MemoryTask | undefined {
    for (;;) {
      const arrived = this.#first;
      const returned = this.#returned.peek();
      if (arrived === undefined && returned === undefined) return undefined;
      const isReturned = arrived === undefined || (returned !== undefined && isBefore(returned, arrived));
      const task = isReturned ? this.#returned.pop()! : this.#shiftArrival(arrived);
      if (this.#waitsHere(task)) return task;
    }
  }

  sweep(): void {
    let task = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    while (task !== undefined) {
      const { next } = task;
      task.next = undefined;
      if (this.#waitsHere(task)) this.append(task);
      task = next;
    }
    this.#returned.sweep((each) => this.#waitsHere(each));
  }

  #waitsHere(task: MemoryTask): boolean {
    return task.state === 'queued' && task.claim.priority === this.priority;
  }

  #shiftArrival(task: MemoryTask): MemoryTask {
    this.#first = task.next;
    if (this.#first === undefined) this.#last = undefined;
    task.next = undefined;
    return task;
  }
}

export class ReadyTasks {
  readonly #lanes = new Map<number, Lane>();
  readonly #order = new Heap<Lane>((a, b) => a.priority > b.priority);

  /** A new task: its seq is higher than that of any before it. */
  append(task: MemoryTask): void {
    this.#lane(task.claim.priority).append(task);
  }

  /** A task that was here before. */
  putBack(task: MemoryTask): void {
    this.#lane(task.claim.priority).putBack(task);
  }

  shift(): MemoryTask | undefined {
    for (;;) {
      const lane = this.#order.peek();
      const task = lane?.shift();
      if (lane === undefined || task !== undefined) return task;
      this.#order.pop();
      this.#lanes.delete(lane.priority);
    }
  }

  /** Forgets the places of tasks that are no longer queued. */
  sweep(): void {
    for (const lane of this.#lanes.values()) lane.sweep();
  }

  #lane(priority: number): Lane {
    let lane = this.#lanes.get(priority);
    if (lane === undefined) {
      lane = new Lane(priority);
      this.#lanes.set(priority, lane);
      this.#order.push(lane);
    }
    return lane;
  }
}
