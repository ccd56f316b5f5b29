/** Records what became of tasks that were given out. */
import type { Settled, Settlement } from '../../contract.js';
import { move } from '../ledger.js';
import type { Claimed } from '../backlog/backlog.js';
import type { Parts } from '../parts.js';
import { ROWS, type OutcomeColumns } from '../rows/statements.js';
import type { Transaction } from './transaction.js';

/** As what a task waits that has come to no outcome. */
const GIVEN_BACK = { retry: 'delayed', release: 'queued', suspect: 'suspect' } as const;

type OutcomeSettlement = Settlement & { kind: 'outcome' };
type GivenBack = Exclude<Settlement, OutcomeSettlement>;

export class Settling {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  settle(tx: Transaction, settlements: readonly Settlement[]): Settled {
    const { backlog } = this.#parts;
    const { ledger } = tx;
    const settled: Settled = { ordinals: [], refused: [] };
    const over = new Map<number, Claimed>();
    const outcomes: OutcomeColumns[] = [];
    for (const settlement of settlements) {
      const { seq, token } = settlement.claim;
      const claimed = backlog.claimed.get(seq);
      if (claimed?.token !== token || over.has(seq)) {
        settled.refused.push(settlement);
      } else if (settlement.kind === 'outcome') {
        over.set(seq, claimed);
        move(ledger, 'running', settlement.state, 1);
        const columns = this.#columnsOf(++ledger.last_ordinal, settlement);
        settled.ordinals.push(ledger.last_ordinal);
        if (claimed.marked) this.#endMarked(columns);
        else outcomes.push(columns);
      } else {
        move(ledger, 'running', GIVEN_BACK[settlement.kind], 1);
        tx.came.add(GIVEN_BACK[settlement.kind]);
        this.#giveBack(tx, claimed, settlement);
        over.set(seq, backlog.claimed.get(seq)!);
      }
    }
    if (settled.ordinals.length > 0) tx.changed = true;
    backlog.unclaim(tx, over);
    this.#endPlain(tx, outcomes);
    return settled;
  }

  #columnsOf(ordinal: number, settlement: OutcomeSettlement): OutcomeColumns {
    const { claim, state, attempts, crashes, result, error, startedAt, durationMs, thread, version } = settlement;
    return [
      ordinal,
      claim.seq,
      state,
      attempts,
      crashes,
      result ?? null,
      error === undefined ? null : JSON.stringify(error),
      startedAt,
      durationMs,
      thread,
      version === undefined ? null : this.#parts.versions.key(version),
    ];
  }

  #endPlain(tx: Transaction, outcomes: readonly OutcomeColumns[]): void {
    const { sql, backlog } = this.#parts;
    let at = 0;
    for (; at + ROWS <= outcomes.length; at += ROWS) sql.outcomeMany.run(outcomes.slice(at, at + ROWS).flat());
    for (; at < outcomes.length; at++) sql.outcome.run(...outcomes[at]!);
    for (const [, seq] of outcomes) backlog.open.delete(seq);
    tx.onRollback(() => {
      for (const [, seq] of outcomes) backlog.open.add(seq);
    });
  }

  #endMarked(columns: OutcomeColumns): void {
    const [, seq] = columns;
    this.#parts.sql.markedOutcome.run(...columns, seq);
    this.#parts.sql.unmark.run(seq);
  }

  #giveBack(tx: Transaction, { marked }: Claimed, settlement: GivenBack): void {
    const { sql, backlog } = this.#parts;
    const { seq } = settlement.claim;
    if (!marked && settlement.kind === 'release') {
      backlog.ready.add(seq);
      tx.onRollback(() => backlog.ready.delete(seq));
      return;
    }
    tx.changed = true;
    if (!marked) {
      sql.mark.run(seq, 'running', tx.ledger.start, 0);
      backlog.leave(tx, seq);
    }
    if (settlement.kind === 'retry') {
      const { runAt, attempts, crashes, earlier } = settlement;
      sql.delay.run(runAt, attempts, crashes, JSON.stringify(earlier), seq);
    } else sql.giveBack.run(GIVEN_BACK[settlement.kind], seq);
  }
}
