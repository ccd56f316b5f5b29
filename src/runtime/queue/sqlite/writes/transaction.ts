import type { Work } from '../../contract.js';
import type { LedgerRow } from '../ledger.js';

/** An open transaction. What is kept in memory changes with it, and is put back when it fails. */
export class Transaction {
  /** As the transaction sees and changes it. */
  readonly ledger: LedgerRow;
  /** What it makes ready for somebody, but for what is added. */
  readonly came = new Set<Work>();
  /** Whether it has written a row: claims of the backlog are no reason to write how many there are. */
  changed = false;
  readonly #undo: (() => void)[] = [];

  constructor(ledger: LedgerRow) {
    this.ledger = { ...ledger };
  }

  onRollback(undo: () => void): void {
    this.#undo.push(undo);
  }

  rollBack(): void {
    for (const undo of this.#undo.reverse()) undo();
  }
}
