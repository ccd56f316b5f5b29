import type { NewTask } from './task/task.js';
import type { Waiter } from './waiters.js';

/** Tasks that go to the queue in one call. Larger ones would keep the main thread from feeding the threads. */
const CHUNK = 1000;

/** Tasks, and who waits for them, in step. */
export interface Chunk {
  readonly tasks: NewTask[];
  readonly waiters: Waiter[];
}

/** What is submitted in one tick, in chunks. */
export class Chunks {
  #chunks: Chunk[] = [];
  /** So many are in the last chunk; what is behind them is room. */
  #inLast = 0;

  /** Gives whether it is the first one. */
  push(task: NewTask, waiter: Waiter): boolean {
    const isFirst = this.#chunks.length === 0;
    if (isFirst || this.#inLast === CHUNK) this.#begin();
    const last = this.#chunks[this.#chunks.length - 1]!;
    last.tasks[this.#inLast] = task;
    last.waiters[this.#inLast++] = waiter;
    return isFirst;
  }

  holds(id: string): boolean {
    return holdsTask(this.#chunks, id);
  }

  takeAll(): Chunk[] {
    const chunks = this.#chunks;
    const last = chunks.at(-1);
    if (last !== undefined) {
      last.tasks.length = this.#inLast;
      last.waiters.length = this.#inLast;
    }
    this.#chunks = [];
    return chunks;
  }

  #begin(): void {
    // After a full one there will most likely be another: arrays that grow are copied again and again.
    const room = this.#chunks.length === 0 ? 0 : CHUNK;
    this.#chunks.push({ tasks: new Array<NewTask>(room), waiters: new Array<Waiter>(room) });
    this.#inLast = 0;
  }
}

export function holdsTask(chunks: readonly Chunk[], id: string): boolean {
  return chunks.some(({ tasks }) => tasks.some((task) => task.id === id));
}
