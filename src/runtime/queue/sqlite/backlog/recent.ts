import type { NewTask } from '../../../task/task.js';
import { SeqMap } from '../../seq-map.js';

/** What was added last is most likely claimed next: it need not be read from the file. */
const MAX_TASKS = 20_000;
/** Of inputs, in characters or bytes. */
const MAX_LENGTH = 8 << 20;

/** Tasks of the backlog that were added a moment ago. */
export class Recent {
  #tasks = new SeqMap<NewTask>();
  #count = 0;
  #length = 0;

  add(seq: number, task: NewTask): void {
    if (this.#count >= MAX_TASKS || this.#length + task.input.length > MAX_LENGTH) return;
    this.#tasks.set(seq, task);
    this.#count++;
    this.#length += task.input.length;
  }

  has(seq: number): boolean {
    return this.#count > 0 && this.#tasks.get(seq) !== undefined;
  }

  /** Gives it, and keeps it no longer. */
  take(seq: number): NewTask | undefined {
    if (this.#count === 0) return undefined;
    const task = this.#tasks.take(seq);
    if (task === undefined) return undefined;
    this.#count--;
    this.#length -= task.input.length;
    return task;
  }

  clear(): void {
    this.#tasks = new SeqMap();
    this.#count = 0;
    this.#length = 0;
  }
}
