/**
 * What the calls of the contract write, within a transaction that is open
 * already. Each keeps the ledger's counts in step with the rows it changes.
 */
import type { Database, RunResult } from 'better-sqlite3';
import type { NewTask, OutcomeState } from '../task.js';
import type {
  AddedTask,
  Cancellation,
  ClaimedTask,
  OutcomeRecord,
  PreviousDeath,
  Recovery,
  Settlement,
} from './contract.js';
import { CANCELLED, crashedWithProcess } from './endings.js';
import { generatedId, generatedSeq } from './generated-id.js';
import { notRunning } from './refusals.js';
import { move, STORED_STATES } from './sqlite-ledger.js';
import type { LedgerRow, StoredState } from './sqlite-ledger.js';
import { interruptedRows, verdict } from './sqlite-recover.js';
import { claimedTask, outcomeRecord } from './sqlite-rows.js';
import { Statements } from './sqlite-statements.js';

export class SqliteWrites {
  readonly #db: Database;
  readonly #epoch: number;
  readonly #sql: Statements;

  constructor(db: Database, epoch: number) {
    this.#db = db;
    this.#epoch = epoch;
    this.#sql = new Statements(db);
  }

  recover(ledger: LedgerRow, previous: PreviousDeath, maxCrashes: number): Recovery {
    const recovery: Recovery = { interrupted: 0, suspects: 0, crashed: [] };
    if (ledger.running === 0) return recovery;
    const interrupted = interruptedRows(this.#db, this.#epoch);
    recovery.interrupted = interrupted.length;
    for (const task of interrupted) {
      const { state, crashes, doubts } = verdict(task, interrupted.length === 1, previous, maxCrashes);
      move(ledger, 'running', state, 1);
      if (state === 'crashed') {
        recovery.crashed.push(this.#recordCrash(ledger, task.seq, crashes));
      } else {
        this.#sql.recover.run(state, crashes, doubts, task.seq);
        if (state === 'suspect') recovery.suspects += 1;
      }
    }
    return recovery;
  }

  add(ledger: LedgerRow, tasks: readonly NewTask[]): AddedTask[] {
    return tasks.map((task) => {
      const { id, handler, input, priority, timeoutMs, retries } = task;
      // Counted here, not by SQLite, which would start anew after `clear`.
      const seq = ledger.last_seq + 1;
      const { changes } = this.#sql.insert.run(
        seq,
        id ?? null,
        handler,
        input,
        priority,
        timeoutMs ?? null,
        retries ?? null,
      );
      if (changes === 0) return this.#compare(task, id!);
      ledger.last_seq = seq;
      ledger.queued += 1;
      return { seq, id: id ?? generatedId(seq), status: 'added' };
    });
  }

  claim(ledger: LedgerRow, limit: number, now: number): ClaimedTask[] {
    if (ledger.delayed > 0) move(ledger, 'delayed', 'queued', this.#sql.wake.run(now).changes);
    if (ledger.queued === 0 || limit <= 0) return [];
    const tasks = this.#sql.claim.all(this.#epoch, limit).map(claimedTask);
    move(ledger, 'queued', 'running', tasks.length);
    return tasks.sort((a, b) => b.priority - a.priority || a.seq - b.seq);
  }

  claimSuspect(ledger: LedgerRow): ClaimedTask | undefined {
    if (ledger.suspect === 0) return undefined;
    move(ledger, 'suspect', 'running', 1);
    return claimedTask(this.#sql.claimSuspect.get(this.#epoch)!);
  }

  settle(ledger: LedgerRow, settlements: readonly Settlement[]): number[] {
    const ordinals: number[] = [];
    for (const settlement of settlements) {
      const [to, { changes }] = this.#settleOne(ledger, settlement);
      if (changes === 0) throw notRunning(settlement.seq, this.#epoch);
      move(ledger, 'running', to, 1);
      if (settlement.kind === 'outcome') ordinals.push(ledger.last_ordinal);
    }
    return ordinals;
  }

  clear(ledger: LedgerRow): void {
    // Without a `where`, SQLite drops the pages and looks at no row.
    this.#db.exec('delete from tasks');
    for (const state of STORED_STATES) ledger[state] = 0;
  }

  cancel(ledger: LedgerRow, id: string): Cancellation {
    const given = generatedSeq(id);
    const task = given === undefined ? this.#sql.find.get(id) : this.#sql.findGenerated.get(given);
    if (task === undefined) return { found: undefined };
    const { seq, state, crashes } = task;
    if (state !== 'queued' && state !== 'delayed' && state !== 'suspect') return { found: state };
    move(ledger, state, 'cancelled', 1);
    this.#sql.end.run('cancelled', ++ledger.last_ordinal, crashes, JSON.stringify(CANCELLED), seq);
    const outcome = outcomeRecord(this.#sql.outcome.get(seq)!);
    return { found: state === 'suspect' ? 'queued' : state, cancelled: { seq, outcome } };
  }

  retry(ledger: LedgerRow, states: readonly OutcomeState[]): number {
    let total = 0;
    for (const state of states) {
      if (ledger[state] === 0) continue; // spares a scan of the table
      const { changes } = this.#sql.reset.run(state);
      move(ledger, state, 'queued', changes);
      total += changes;
    }
    return total;
  }

  /** The insert was refused: the id is there. */
  #compare({ handler, input }: NewTask, id: string): AddedTask {
    const { seq, same } = this.#sql.compare.get(handler, input, id)!;
    return { seq, id, status: same === 1 ? 'duplicate' : 'conflict' };
  }

  /** Gives the state that the task went to, and the rows that were changed: one, if it was ours to settle. */
  #settleOne(ledger: LedgerRow, settlement: Settlement): [StoredState, RunResult] {
    const { seq } = settlement;
    switch (settlement.kind) {
      case 'outcome': {
        const { state, attempts, crashes, result, error, startedAt, durationMs, thread } = settlement;
        const run = this.#sql.settle.run(
          state,
          ++ledger.last_ordinal,
          attempts,
          crashes,
          result ?? null,
          error === undefined ? null : JSON.stringify(error),
          startedAt,
          durationMs,
          thread,
          seq,
          this.#epoch,
        );
        return [state, run];
      }
      case 'retry': {
        const { runAt, attempts, crashes } = settlement;
        return ['delayed', this.#sql.delay.run(runAt, attempts, crashes, seq, this.#epoch)];
      }
      case 'release':
        return ['queued', this.#sql.giveBack.run('queued', seq, this.#epoch)];
      case 'suspect':
        return ['suspect', this.#sql.giveBack.run('suspect', seq, this.#epoch)];
    }
  }

  #recordCrash(ledger: LedgerRow, seq: number, crashes: number): OutcomeRecord {
    const error = JSON.stringify(crashedWithProcess(crashes));
    this.#sql.end.run('crashed', ++ledger.last_ordinal, crashes, error, seq);
    return outcomeRecord(this.#sql.outcome.get(seq)!);
  }
}
