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

export interface Waiting {
  readonly seq: number;
  priority: number;
  state: string;
}

/** Used-up places are cut off in steps of at least so many. */
const CUT_AT = 1024;

/** Tasks of one priority. */
class Lane<T extends Waiting> {
  readonly priority: number;
  /** In the order of arrival, which is the order of seq. `#head` is the first that has not left. */
  #arrivals: (T | undefined)[] = [];
  #head = 0;
  readonly #returned = new Heap<T>((a, b) => a.seq < b.seq);

  constructor(priority: number) {
    this.priority = priority;
  }

  append(task: T): void {
    this.#arrivals.push(task);
  }

  putBack(task: T): void {
    this.#returned.push(task);
  }

  shift(): T | undefined {
    for (;;) {
      const arrived = this.#arrivals[this.#head];
      const returned = this.#returned.peek();
      if (arrived === undefined && returned === undefined) return undefined;
      const task =
        arrived === undefined || (returned !== undefined && returned.seq < arrived.seq)
          ? this.#returned.pop()!
          : this.#shiftArrival();
      if (this.#waitsHere(task)) return task;
    }
  }

  sweep(): void {
    this.#arrivals = this.#arrivals.slice(this.#head).filter((task) => task !== undefined && this.#waitsHere(task));
    this.#head = 0;
    this.#returned.sweep((task) => this.#waitsHere(task));
  }

  #waitsHere(task: T): boolean {
    return task.state === 'queued' && task.priority === this.priority;
  }

  #shiftArrival(): T {
    const task = this.#arrivals[this.#head]!;
    this.#arrivals[this.#head++] = undefined;
    if (this.#head >= CUT_AT && this.#head * 2 >= this.#arrivals.length) {
      this.#arrivals = this.#arrivals.slice(this.#head);
      this.#head = 0;
    }
    return task;
  }
}

export class ReadyTasks<T extends Waiting> {
  readonly #lanes = new Map<number, Lane<T>>();
  readonly #order = new Heap<Lane<T>>((a, b) => a.priority > b.priority);

  /** A new task: its seq is higher than that of any before it. */
  append(task: T): void {
    this.#lane(task.priority).append(task);
  }

  /** A task that was here before. */
  putBack(task: T): void {
    this.#lane(task.priority).putBack(task);
  }

  shift(): T | undefined {
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

  #lane(priority: number): Lane<T> {
    let lane = this.#lanes.get(priority);
    if (lane === undefined) {
      lane = new Lane(priority);
      this.#lanes.set(priority, lane);
      this.#order.push(lane);
    }
    return lane;
  }
}
