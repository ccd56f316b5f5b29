import { SeqMap } from '../seq-map.js';
import type { NewTask } from '../../task/task.js';
import { areAllNew, seqAt, statusAt, type PackedAdded } from './batches.js';

/** So many tasks at most, and so many characters or bytes of their inputs: what is claimed soon is mostly among them. */
const MAX_TASKS = 20_000;
const MAX_SIZE = 16 * 2 ** 20;

/**
 * Tasks that were just added, kept by the executor so that a claim need not send
 * them back. The keeper knows which (`KeptSeqs`), and both let go of one by the
 * same answers: once it was claimed or cancelled, added a second time, or all were
 * cleared.
 */
export class KeptTasks {
  #tasks = new SeqMap<NewTask>();
  #count = 0;
  #size = 0;

  get count(): number {
    return this.#count;
  }

  /** Keeps room for all of them, and says so, or keeps none. To be followed by `added` or `notAdded`. */
  reserve(tasks: readonly NewTask[]): boolean {
    const size = sizeOf(tasks);
    if (this.#count + tasks.length > MAX_TASKS || this.#size + size > MAX_SIZE) return false;
    this.#count += tasks.length;
    this.#size += size;
    return true;
  }

  notAdded(tasks: readonly NewTask[]): void {
    this.#count -= tasks.length;
    this.#size -= sizeOf(tasks);
  }

  /** @param reserved whether there is room for them */
  added(tasks: readonly NewTask[], added: PackedAdded, reserved: boolean): void {
    for (let row = 0; row < tasks.length; row++) {
      const seq = seqAt(added, row);
      const status = statusAt(added, row);
      if (status === 'added') {
        if (reserved) this.#tasks.set(seq, tasks[row]!);
        continue;
      }
      if (reserved) this.notAdded([tasks[row]!]);
      if (status === 'duplicate') this.drop(seq);
    }
  }

  /** @throws Error when it is not kept: the two ends do not agree */
  take(seq: number): NewTask {
    const task = this.#tasks.take(seq);
    if (task === undefined) throw new Error(`task #${seq} is not kept here, and the keeper said it was`);
    this.#count -= 1;
    this.#size -= task.input.length;
    return task;
  }

  drop(seq: number): void {
    if (this.#tasks.get(seq) !== undefined) this.take(seq);
  }

  clear(): void {
    for (const task of this.#tasks.values()) this.notAdded([task]);
    this.#tasks = new SeqMap();
  }
}

function sizeOf(tasks: readonly NewTask[]): number {
  let size = 0;
  for (const { input } of tasks) size += input.length;
  return size;
}

/** Which tasks the executor keeps, as the keeper knows it. */
export class KeptSeqs {
  #seqs = new SeqMap<true>();

  added(count: number, added: PackedAdded, reserved: boolean): void {
    if (!reserved && areAllNew(added)) return;
    for (let row = 0; row < count; row++) {
      const status = statusAt(added, row);
      if (status === 'added' && reserved) this.#seqs.set(seqAt(added, row), true);
      else if (status === 'duplicate') this.#seqs.take(seqAt(added, row));
    }
  }

  /** Whether it was kept; it is no longer. */
  take(seq: number): boolean {
    return this.#seqs.take(seq) === true;
  }

  clear(): void {
    this.#seqs = new SeqMap();
  }

  get isEmpty(): boolean {
    return this.#seqs.isEmpty;
  }
}
