/**
 * Tasks that just wait in line, and all that are claimed: known in memory alone.
 *
 * A claim is no row: whoever has the file open knows what it gave out, and after
 * its end all that has no outcome waits again. From the file the backlog is found
 * anew in an instant: each number up to the last, but for those of outcomes and marks.
 */
import { Bits } from './bits.js';
import type { Database } from 'better-sqlite3';
import type { LedgerRow } from '../ledger.js';
import type { Transaction } from '../writes/transaction.js';

/** Claims that were made in one go. */
export interface Claimed {
  readonly token: number;
  /** Milliseconds, on the clock of `performance.now()`. */
  readonly at: number;
  /** Whether its tasks have marks: in the file they are running. */
  readonly marked: boolean;
}

export class Backlog {
  /** All in it that have no outcome: ready, held back, or claimed. */
  open = new Bits();
  /** Those that may be claimed. */
  ready = new Bits();
  /** What is claimed, of the backlog and of marks, the oldest claim first. */
  readonly claimed = new Map<number, Claimed>();
  #claimedOpen = 0;

  /** How many of it wait, held back or not. */
  get waiting(): number {
    return this.open.size - this.#claimedOpen;
  }

  isHeld(seq: number): boolean {
    return this.open.has(seq) && !this.ready.has(seq) && !this.claimed.has(seq);
  }

  claim(tx: Transaction, seqs: readonly number[], claimed: Claimed): void {
    for (const seq of seqs) {
      this.ready.delete(seq);
      this.claimed.set(seq, claimed);
    }
    if (!claimed.marked) this.#claimedOpen += seqs.length;
    tx.onRollback(() => {
      for (const seq of seqs) {
        this.claimed.delete(seq);
        if (!claimed.marked) this.ready.add(seq);
      }
      if (!claimed.marked) this.#claimedOpen -= seqs.length;
    });
  }

  /** Ends claims. Those of the backlog are open still, and wait for nobody. */
  unclaim(tx: Transaction, ended: ReadonlyMap<number, Claimed>): void {
    let open = 0;
    for (const [seq, { marked }] of ended) {
      this.claimed.delete(seq);
      if (!marked) open++;
    }
    this.#claimedOpen -= open;
    tx.onRollback(() => {
      for (const [seq, claimed] of ended) this.claimed.set(seq, claimed);
      this.#claimedOpen += open;
    });
  }

  /** A task of it that has a mark from now on. A claim stays what it is. */
  leave(tx: Transaction, seq: number): void {
    const claimed = this.claimed.get(seq);
    const wasReady = this.ready.delete(seq);
    this.open.delete(seq);
    if (claimed !== undefined) {
      this.claimed.set(seq, { ...claimed, marked: true });
      this.#claimedOpen--;
    }
    tx.onRollback(() => {
      this.open.add(seq);
      if (wasReady) this.ready.add(seq);
      if (claimed === undefined) return;
      this.claimed.set(seq, claimed);
      this.#claimedOpen++;
    });
  }

  /** The first numbers that may be claimed. */
  firstReady(limit: number): number[] {
    const seqs: number[] = [];
    let seq = limit > 0 ? this.ready.first() : undefined;
    while (seq !== undefined) {
      seqs.push(seq);
      seq = seqs.length < limit ? this.ready.next(seq + 1) : undefined;
    }
    return seqs;
  }

  *held(): Generator<number> {
    for (let seq = this.open.first(); seq !== undefined; seq = this.open.next(seq + 1)) {
      if (this.isHeld(seq)) yield seq;
    }
  }

  /** Finds it in the file. Of 10 million tasks that wait takes 0.1 s. */
  find(db: Database, { low, last_seq, held_below }: LedgerRow): void {
    this.open.clear();
    this.open.addRange(low, last_seq);
    for (const table of ['outcomes', 'marks']) {
      const seqs = db.prepare<[number], number>(`select seq from ${table} where seq >= ?`).pluck();
      for (const seq of seqs.iterate(low)) this.open.delete(seq);
    }
    this.ready = this.open.from(held_below);
  }
}
