/** The tasks of the memory store, by what they are called. */
import type { NewTask } from '../../task/task.js';
import { generatedSeq } from '../generated-id.js';
import { SeqMap } from '../seq-map.js';
import { newMemoryTask, type MemoryTask } from './memory-task.js';

export class Tasks {
  #lastSeq = 0;
  /** Those that were given an id, for as long as the queue lives. */
  readonly #byId = new Map<string, MemoryTask>();
  /** Those without an outcome. */
  #live = new SeqMap<MemoryTask>();

  get lastSeq(): number {
    return this.#lastSeq;
  }

  add(task: NewTask, start: number): MemoryTask {
    const added = newMemoryTask(++this.#lastSeq, task, start);
    this.#live.set(this.#lastSeq, added);
    if (task.id !== undefined) this.#byId.set(task.id, added);
    return added;
  }

  /** The task that was given that id. */
  named(id: string): MemoryTask | undefined {
    return this.#byId.get(id);
  }

  /** By the id that was given to it, or else by the one that the queue made. */
  find(id: string): MemoryTask | undefined {
    const seq = generatedSeq(id);
    if (seq === undefined) return this.#byId.get(id);
    const task = this.#live.get(seq);
    return task?.claim.id === undefined ? task : undefined;
  }

  /** One that has no outcome. */
  live(seq: number): MemoryTask | undefined {
    return this.#live.get(seq);
  }

  allLive(): Iterable<MemoryTask> {
    return this.#live.values();
  }

  /** It has its outcome. */
  end(task: MemoryTask): void {
    this.#live.take(task.claim.seq);
  }

  /** Its outcome was taken back. */
  revive(task: MemoryTask): void {
    this.#live.set(task.claim.seq, task);
  }

  /** Numbers go on. */
  clear(): void {
    this.#byId.clear();
    this.#live = new SeqMap();
  }
}
