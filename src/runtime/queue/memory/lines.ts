/**
 * The lines of the memory store, in which tasks wait: ready, delayed, suspects.
 * Those that are held back stand in none of them, and are only counted.
 */
import { Heap } from './heap.js';
import { waits, type Delay, type MemoryTask, type State } from './memory-task.js';
import { isBefore, ReadyTasks } from './ready-tasks.js';

/** So many cancelled tasks may hold their place in the line, beside as many as are queued. */
const CANCELLED_PLACES = 1000;

export class Lines {
  #ready = new ReadyTasks();
  /** An entry counts as long as its task points back at it. */
  #delayed = new Heap<Delay>((a, b) => a.runAt < b.runAt);
  /** An entry counts as long as its task is a suspect. */
  #suspects = new Heap<MemoryTask>(isBefore);
  #cancelledPlaces = 0;
  /** The start that names tasks now: those of earlier ones are held back. */
  #start = 1;
  #held = 0;
  #heldSuspects = 0;

  get start(): number {
    return this.#start;
  }

  get held(): number {
    return this.#held;
  }

  get heldSuspects(): number {
    return this.#heldSuspects;
  }

  isHeld({ start, state }: MemoryTask): boolean {
    return start < this.#start && waits(state);
  }

  /** A new task: its seq is higher than that of any before it. */
  append(task: MemoryTask): void {
    this.#ready.append(task);
  }

  /** A task that was here before takes its place, by its state. */
  enter(task: MemoryTask): void {
    if (this.isHeld(task)) this.#count(task.state, 1);
    else if (task.state === 'queued') this.#ready.putBack(task);
    else if (task.state === 'delayed') this.#delayed.push(task.delay!);
    else this.#suspects.push(task);
  }

  /** A task that is held back no longer is. */
  letIn(task: MemoryTask): void {
    this.#count(task.state, -1);
    task.start = this.#start;
    this.enter(task);
  }

  /** A waiting task was cancelled. @param was its state before @param queued how many are now */
  leave(task: MemoryTask, was: State, queued: number): void {
    task.delay = undefined;
    if (task.start < this.#start) this.#count(was, -1);
    else if (was === 'queued') this.#leavePlace(queued);
  }

  /** The priority of a queued task has changed. */
  move(task: MemoryTask, queued: number): void {
    this.#ready.putBack(task);
    this.#leavePlace(queued);
  }

  nextReady(): MemoryTask | undefined {
    return this.#ready.shift();
  }

  nextSuspect(): MemoryTask | undefined {
    for (;;) {
      const task = this.#suspects.pop();
      if (task === undefined || task.state === 'suspect') return task;
    }
  }

  /** Takes out a delayed task that is due by `now`. */
  nextDue(now: number): MemoryTask | undefined {
    const delay = this.#nextDelay();
    if (delay === undefined || delay.runAt > now) return undefined;
    this.#delayed.pop();
    delay.task.delay = undefined;
    return delay.task;
  }

  /** When the next delayed task is due. */
  get dueAt(): number | undefined {
    return this.#nextDelay()?.runAt;
  }

  /** All that wait are held back from now on. */
  hold(waiting: number, suspects: number): void {
    this.clear();
    this.#start += 1;
    this.#held = waiting;
    this.#heldSuspects = suspects;
  }

  clear(): void {
    this.#ready = new ReadyTasks();
    this.#delayed = new Heap((a, b) => a.runAt < b.runAt);
    this.#suspects = new Heap(isBefore);
    this.#cancelledPlaces = 0;
    this.#held = 0;
    this.#heldSuspects = 0;
  }

  #count(state: State, change: 1 | -1): void {
    this.#held += change;
    if (state === 'suspect') this.#heldSuspects += change;
  }

  #nextDelay(): Delay | undefined {
    for (;;) {
      const delay = this.#delayed.peek();
      if (delay === undefined || delay.task.delay === delay) return delay;
      this.#delayed.pop();
    }
  }

  /** Cancelled tasks that nobody ever reaches, at the end of the line, must not pile up. */
  #leavePlace(queued: number): void {
    this.#cancelledPlaces += 1;
    if (this.#cancelledPlaces <= CANCELLED_PLACES + queued) return;
    this.#ready.sweep();
    this.#cancelledPlaces = 0;
  }
}
