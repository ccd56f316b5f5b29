/** What is asked for from outside: cancelled, or tried again. */
import type { OutcomeState } from '../../../task/task.js';
import type { Cancellation, Retrial } from '../../contract.js';
import { CANCELLED, isRetriable } from '../../endings.js';
import { generatedSeq } from '../../generated-id.js';
import { move, waits, type StoredState } from '../ledger.js';
import type { Parts } from '../parts.js';
import { outcomeRecord } from '../rows/rows.js';
import type { PlacedRow } from '../rows/statements.js';
import type { Transaction } from './transaction.js';

export class Changing {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  cancel(tx: Transaction, id: string): Cancellation {
    const { ledger } = tx;
    const { sql, backlog, recent } = this.#parts;
    const task = this.#find(id);
    if (task === undefined) return { found: undefined };
    const { seq, marked, start, crashes } = task;
    const state = this.#stateOf(task);
    if (!waits(state)) return { found: state };
    tx.changed = true;
    move(ledger, state, 'cancelled', 1);
    const wasHeld = marked === null ? backlog.isHeld(seq) : start! < ledger.start;
    if (wasHeld) ledger.held -= 1;
    const error = JSON.stringify(CANCELLED);
    sql.end.run(++ledger.last_ordinal, 'cancelled', crashes, error, wasHeld ? 1 : null, seq);
    if (marked === null) {
      recent.take(seq);
      backlog.leave(tx, seq);
    } else sql.unmark.run(seq);
    const outcome = outcomeRecord(sql.outcomeOf.get(seq)!);
    return { found: state === 'suspect' ? 'queued' : state, cancelled: { seq, outcome } };
  }

  retryTask(tx: Transaction, id: string): Retrial {
    const { sql } = this.#parts;
    const task = this.#find(id);
    if (task === undefined) return { found: undefined, retried: false };
    const state = this.#stateOf(task);
    const found = state === 'suspect' ? 'queued' : state;
    if (!isRetriable(found)) return { found, retried: false };
    tx.changed = true;
    sql.retryOne.run({ start: tx.ledger.start, seq: task.seq });
    sql.takeBack.run(task.seq);
    move(tx.ledger, found, 'queued', 1);
    return { found, retried: true };
  }

  retry(tx: Transaction, states: readonly OutcomeState[]): number {
    const { ledger } = tx;
    const { sql } = this.#parts;
    let total = 0;
    for (const state of states) {
      if (ledger[state] === 0) continue; // spares a scan of the table
      tx.changed = true;
      const { start, start_seq, start_ordinal } = ledger;
      ledger.held += sql.unnamed.get({ state, start, start_seq, start_ordinal })!;
      sql.retryAll.run({ state, start, start_seq, start_ordinal });
      const { changes } = sql.takeBackAll.run(state);
      move(ledger, state, 'queued', changes);
      total += changes;
    }
    return total;
  }

  #find(id: string): PlacedRow | undefined {
    const { sql } = this.#parts;
    const given = generatedSeq(id);
    return given === undefined ? sql.find.get(id) : sql.findGenerated.get(given);
  }

  #stateOf({ seq, ended, marked }: PlacedRow): StoredState {
    return ended ?? marked ?? (this.#parts.backlog.claimed.has(seq) ? 'running' : 'queued');
  }
}
