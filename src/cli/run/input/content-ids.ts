import { createHash, hash } from 'node:crypto';
import type { Encoded } from '../../../runtime/task/task.js';

/**
 * The ids of tasks that have none of their own: of what they are, not of where
 * they stand, so that a line is known again wherever it has gone. Equal ones
 * are counted: `0a1b2c3d4e5f6071`, `0a1b2c3d4e5f6071:2`.
 *
 * Takes 16 to 32 bytes a task, as it must know which came before. Of ten
 * million different ones, two get the same 64 bits with a chance of 1 in 400,000.
 */
export class ContentIds {
  /** Two words each; an empty place holds two zeros. Never more than half full. */
  #table = new Uint32Array(2 * 1024);
  #used = 0;
  readonly #repeated = new Map<string, number>();

  next(handler: string, input: Encoded): string {
    const id = contentHash(handler, input);
    if (this.#take(id)) return id;
    const count = (this.#repeated.get(id) ?? 1) + 1;
    this.#repeated.set(id, count);
    return `${id}:${count}`;
  }

  /** False if it came before. */
  #take(id: string): boolean {
    if (this.#used * 4 >= this.#table.length) this.#grow();
    // What would be an empty place is taken for its neighbour.
    const isNew = put(this.#table, parseInt(id.slice(0, 8), 16), parseInt(id.slice(8), 16) || 1);
    if (isNew) this.#used += 1;
    return isNew;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) put(this.#table, old[at]!, old[at + 1]!);
  }
}

function put(table: Uint32Array, high: number, low: number): boolean {
  const mask = table.length - 1;
  let at = (low * 2) & mask;
  while (table[at + 1] !== 0) {
    if (table[at] === high && table[at + 1] === low) return false;
    at = (at + 2) & mask;
  }
  table[at] = high;
  table[at + 1] = low;
  return true;
}

function contentHash(handler: string, input: Encoded): string {
  const text =
    typeof input === 'string'
      ? hash('sha256', `${handler}\0${input}`)
      : createHash('sha256').update(`${handler}\0`).update(input).digest('hex');
  return text.slice(0, 16);
}
