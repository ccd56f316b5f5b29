/** What begins an executor: what others left running, and what of all that waits is to be done. */
import type { GoneExecutor, OutcomeRecord, Recovery, RunIdentity } from '../../contract.js';
import { crashedWithProcess } from '../../endings.js';
import { recordIdentity } from '../rows/identity.js';
import { move, STORED_STATES, WAITING } from '../ledger.js';
import { Bits } from '../backlog/bits.js';
import type { Parts } from '../parts.js';
import { interruptedRows, verdict, withCrash } from './recover.js';
import { outcomeRecord } from '../rows/rows.js';
import type { Transaction } from './transaction.js';

export class Starting {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  identify(tx: Transaction, identity: RunIdentity): void {
    tx.changed = true;
    recordIdentity(this.#parts.db, identity);
    if (identity.version !== undefined) this.#parts.versions.key(identity.version);
  }

  recover(tx: Transaction, { member, death, signal }: GoneExecutor, maxCrashes: number): Recovery {
    const { ledger } = tx;
    const { db, sql, backlog } = this.#parts;
    const recovery: Recovery = { interrupted: 0, suspects: 0, crashed: [] };
    if (ledger.running === backlog.claimed.size || member >= ledger.epoch) return recovery;
    const interrupted = interruptedRows(db).filter(({ seq }) => !backlog.claimed.has(seq));
    recovery.interrupted = interrupted.length;
    tx.changed = interrupted.length > 0;
    for (const task of interrupted) {
      const { state, crashes, doubts } = verdict(task, interrupted.length === 1, death, maxCrashes);
      move(ledger, 'running', state, 1);
      if (state === 'crashed') {
        recovery.crashed.push(this.#recordCrash(tx, task.seq, crashes, signal));
      } else {
        const earlier = crashes > task.crashes ? withCrash(task, crashes, signal) : task.earlier;
        sql.recover.run(state, crashes, doubts, earlier, task.seq);
        tx.came.add(state);
        if (state === 'suspect') recovery.suspects += 1;
      }
    }
    return recovery;
  }

  capDelays(tx: Transaction, latest: number): void {
    if (tx.ledger.delayed === 0) return;
    tx.changed = true;
    tx.came.add('delayed');
    const cap = this.#parts.db.prepare(`update marks set run_at = ? where state = 'delayed' and run_at > ?`);
    cap.run(latest, latest);
  }

  hold(tx: Transaction): number {
    const { ledger } = tx;
    const { db } = this.#parts;
    // The first start of a run is spared a write to the disk.
    if (STORED_STATES.every((state) => ledger[state] === 0)) return ledger.last_seq;
    tx.changed = true;
    ledger.start += 1;
    ledger.start_seq = ledger.last_seq;
    ledger.start_ordinal = ledger.last_ordinal;
    ledger.held_below = ledger.last_seq + 1;
    ledger.held = ledger.queued + ledger.delayed + ledger.suspect;
    db.prepare(`update marks set start = ? where state = 'running'`).run(ledger.start);
    this.#setReady(tx, new Bits());
    return ledger.last_seq;
  }

  letGo(tx: Transaction): void {
    const { ledger } = tx;
    const { db, backlog } = this.#parts;
    if (ledger.held === 0) return;
    tx.changed = true;
    ledger.held = 0;
    ledger.held_below = 0;
    const ready = backlog.open.from(0);
    for (const seq of backlog.claimed.keys()) ready.delete(seq);
    this.#setReady(tx, ready);
    tx.came.add('queued');
    for (const state of WAITING) {
      const statement = db.prepare(`update marks set start = ? where state = '${state}' and start < ?`);
      if (statement.run(ledger.start, ledger.start).changes > 0) tx.came.add(state);
    }
  }

  clear(tx: Transaction): void {
    const { ledger } = tx;
    const { db, backlog, recent, handlers, versions } = this.#parts;
    tx.changed = true;
    // Without a `where`, SQLite drops the pages and looks at no row.
    for (const table of ['submitted', 'outcomes', 'marks', 'identity', 'versions', 'handlers']) {
      db.exec(`delete from ${table}`);
    }
    handlers.forget();
    versions.forget();
    recent.clear();
    backlog.unclaim(tx, new Map(backlog.claimed));
    const { open } = backlog;
    backlog.open = new Bits();
    tx.onRollback(() => (backlog.open = open));
    this.#setReady(tx, new Bits());
    for (const state of STORED_STATES) ledger[state] = 0;
    ledger.held = 0;
    ledger.held_below = 0;
    ledger.cleared_seq = ledger.last_seq;
  }

  #setReady(tx: Transaction, ready: Bits): void {
    const { backlog } = this.#parts;
    const before = backlog.ready;
    backlog.ready = ready;
    tx.onRollback(() => (backlog.ready = before));
  }

  #recordCrash({ ledger }: Transaction, seq: number, crashes: number, signal: string | undefined): OutcomeRecord {
    const { sql } = this.#parts;
    const error = JSON.stringify(crashedWithProcess(crashes, signal));
    sql.end.run(++ledger.last_ordinal, 'crashed', crashes, error, null, seq);
    sql.unmark.run(seq);
    return outcomeRecord(sql.outcomeOf.get(seq)!);
  }
}
