/**
 * What the calls of the contract write, within a transaction that is open
 * already. Each keeps the ledger's counts in step with the rows it changes.
 */
import type { Database, RunResult } from 'better-sqlite3';
import type { NewTask, OutcomeState } from '../../task/task.js';
import type {
  Retrial,
  AddedTask,
  Cancellation,
  ClaimedTask,
  GoneExecutor,
  OutcomeRecord,
  Recovery,
  RunIdentity,
  Settled,
  Settlement,
  Work,
} from '../contract.js';
import { CANCELLED, crashedWithProcess, isRetriable } from '../endings.js';
import { generatedId, generatedSeq } from '../generated-id.js';
import { move, STORED_STATES, WAITING, waits } from './ledger.js';
import type { LedgerRow } from './ledger.js';
import { recordIdentity } from './identity.js';
import { interruptedRows, verdict, withCrash } from './recover.js';
import { claimedTask, outcomeRecord } from './rows.js';
import { Statements, type KnownRow } from './statements.js';

/** As what a task waits that has come to no outcome. */
const GIVEN_BACK = { retry: 'delayed', release: 'queued', suspect: 'suspect' } as const;

export class SqliteWrites {
  readonly #db: Database;
  /** The last claim that an executor before this one made. */
  readonly #claimsBefore: number;
  readonly #sql: Statements;
  /** What the open transaction makes ready for somebody, but for what is added. */
  readonly came = new Set<Work>();
  /** Their keys, as the file has them: to be forgotten when a transaction fails. */
  #versions = new Map<string, number>();

  constructor(db: Database, claimsBefore: number) {
    this.#db = db;
    this.#claimsBefore = claimsBefore;
    this.#sql = new Statements(db);
  }

  /** What was written since the last commit is not in the file. */
  rolledBack(): void {
    this.#versions = new Map();
  }

  identify(identity: RunIdentity): void {
    recordIdentity(this.#db, identity);
    if (identity.version !== undefined) this.#versionKey(identity.version);
  }

  recover(ledger: LedgerRow, { member, death, signal }: GoneExecutor, maxCrashes: number): Recovery {
    const recovery: Recovery = { interrupted: 0, suspects: 0, crashed: [] };
    if (ledger.running === 0 || member >= ledger.epoch) return recovery;
    const interrupted = interruptedRows(this.#db, this.#claimsBefore);
    recovery.interrupted = interrupted.length;
    for (const task of interrupted) {
      const { state, crashes, doubts } = verdict(task, interrupted.length === 1, death, maxCrashes);
      move(ledger, 'running', state, 1);
      if (state === 'crashed') {
        recovery.crashed.push(this.#recordCrash(ledger, task.seq, crashes, signal));
      } else {
        const earlier = crashes > task.crashes ? withCrash(task, crashes, signal) : task.earlier;
        this.#sql.recover.run(state, crashes, doubts, earlier, task.seq);
        this.came.add(state);
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
        ledger.start,
      );
      if (changes === 0) return this.#addAgain(ledger, task, id!);
      ledger.last_seq = seq;
      ledger.queued += 1;
      return { seq, id: id ?? generatedId(seq), status: 'added' };
    });
  }

  claim(ledger: LedgerRow, limit: number, now: number): ClaimedTask[] {
    if (ledger.delayed > 0) move(ledger, 'delayed', 'queued', this.#sql.wake.run(ledger.start, now).changes);
    if (ledger.queued === 0 || limit <= 0) return [];
    const tasks = this.#sql.claim.all(ledger.claims + 1, ledger.start, limit).map(claimedTask);
    if (tasks.length > 0) ledger.claims += 1;
    move(ledger, 'queued', 'running', tasks.length);
    return tasks.sort((a, b) => b.priority - a.priority || a.seq - b.seq);
  }

  capDelays(latest: number): void {
    this.came.add('delayed');
    this.#db.prepare(`update tasks set run_at = ? where state = 'delayed' and run_at > ?`).run(latest, latest);
  }

  claimSuspect(ledger: LedgerRow): ClaimedTask | undefined {
    if (ledger.suspect === 0) return undefined;
    const row = this.#sql.claimSuspect.get(ledger.claims + 1, ledger.start);
    if (row === undefined) return undefined;
    ledger.claims += 1;
    move(ledger, 'suspect', 'running', 1);
    return claimedTask(row);
  }

  settle(ledger: LedgerRow, settlements: readonly Settlement[]): Settled {
    const settled: Settled = { ordinals: [], refused: [] };
    for (const settlement of settlements) {
      const to = settlement.kind === 'outcome' ? settlement.state : GIVEN_BACK[settlement.kind];
      if (settlement.claim.token <= this.#claimsBefore || this.#settleOne(ledger, settlement).changes === 0) {
        settled.refused.push(settlement);
        continue;
      }
      move(ledger, 'running', to, 1);
      if (settlement.kind === 'outcome') settled.ordinals.push(++ledger.last_ordinal);
      else this.came.add(GIVEN_BACK[settlement.kind]);
    }
    return settled;
  }

  clear(ledger: LedgerRow): void {
    // Without a `where`, SQLite drops the pages and looks at no row.
    this.#db.exec('delete from tasks');
    this.#db.exec('delete from identity; delete from versions');
    this.#versions = new Map();
    for (const state of STORED_STATES) ledger[state] = 0;
    ledger.held = 0;
  }

  hold(ledger: LedgerRow): number {
    // The first start of a run is spared a write to the disk.
    if (STORED_STATES.every((state) => ledger[state] === 0)) return ledger.last_seq;
    ledger.start += 1;
    // A scan, but nothing runs when a start begins.
    if (ledger.running > 0) this.#db.prepare(`update tasks set start = ? where state = 'running'`).run(ledger.start);
    ledger.held = ledger.queued + ledger.delayed + ledger.suspect;
    return ledger.last_seq;
  }

  letGo(ledger: LedgerRow): void {
    if (ledger.held === 0) return;
    ledger.held = 0;
    for (const state of WAITING) {
      const statement = this.#db.prepare(`update tasks set start = ? where state = '${state}' and start < ?`);
      if (statement.run(ledger.start, ledger.start).changes > 0) this.came.add(state);
    }
  }

  /** Anything may have: a count was wrong. */
  cameAll(): void {
    for (const state of WAITING) this.came.add(state);
  }

  cancel(ledger: LedgerRow, id: string): Cancellation {
    const task = this.#find(id);
    if (task === undefined) return { found: undefined };
    const { seq, state, crashes, start } = task;
    if (state !== 'queued' && state !== 'delayed' && state !== 'suspect') return { found: state };
    move(ledger, state, 'cancelled', 1);
    if (start < ledger.start) ledger.held -= 1;
    this.#sql.end.run('cancelled', ++ledger.last_ordinal, crashes, JSON.stringify(CANCELLED), seq);
    const outcome = outcomeRecord(this.#sql.outcome.get(seq)!);
    return { found: state === 'suspect' ? 'queued' : state, cancelled: { seq, outcome } };
  }

  retryTask(ledger: LedgerRow, id: string): Retrial {
    const task = this.#find(id);
    if (task === undefined) return { found: undefined, retried: false };
    const { seq, state } = task;
    const found = state === 'suspect' ? 'queued' : state;
    if (!isRetriable(found)) return { found, retried: false };
    this.#sql.resetTask.run(ledger.start, seq);
    move(ledger, found, 'queued', 1);
    return { found, retried: true };
  }

  retry(ledger: LedgerRow, states: readonly OutcomeState[]): number {
    let total = 0;
    for (const state of states) {
      if (ledger[state] === 0) continue; // spares a scan of the table
      const before = this.#sql.reset.run(state, ledger.start - 1).changes;
      const rest = ledger[state] - before;
      const changes = before + (rest === 0 ? 0 : this.#sql.reset.run(state, ledger.start).changes);
      move(ledger, state, 'queued', changes);
      ledger.held += before;
      total += changes;
    }
    return total;
  }

  #find(id: string) {
    const given = generatedSeq(id);
    return given === undefined ? this.#sql.find.get(id) : this.#sql.findGenerated.get(given);
  }

  /** The insert was refused: the id is there. */
  #addAgain(ledger: LedgerRow, task: NewTask, id: string): AddedTask {
    const known = this.#sql.compare.get(task.handler, task.input, id)!;
    const { seq, same, state, start } = known;
    if (same === 0) return { seq, id, status: 'conflict' };
    const held = start < ledger.start && waits(state);
    if (held || (differs(known, task) && (state === 'running' || waits(state)))) {
      const { priority, timeoutMs, retries } = task;
      this.#sql.takeOver.run(ledger.start, priority, timeoutMs ?? null, retries ?? null, seq);
    }
    if (held) {
      ledger.held -= 1;
      this.came.add(state as Work);
    }
    return { seq, id, status: 'duplicate' };
  }

  #versionKey(hash: string): number {
    let key = this.#versions.get(hash);
    if (key === undefined) {
      key = this.#sql.version.get(hash)!;
      this.#versions.set(hash, key);
    }
    return key;
  }

  /** Changes one row, if the claim is not over. */
  #settleOne(ledger: LedgerRow, settlement: Settlement): RunResult {
    const { seq, token } = settlement.claim;
    switch (settlement.kind) {
      case 'outcome': {
        const { state, attempts, crashes, result, error, startedAt, durationMs, thread, version } = settlement;
        return this.#sql.settle.run(
          state,
          ledger.last_ordinal + 1,
          attempts,
          crashes,
          result ?? null,
          error === undefined ? null : JSON.stringify(error),
          startedAt,
          durationMs,
          thread,
          version === undefined ? null : this.#versionKey(version),
          seq,
          token,
        );
      }
      case 'retry': {
        const { runAt, attempts, crashes, earlier } = settlement;
        return this.#sql.delay.run(runAt, attempts, crashes, JSON.stringify(earlier), seq, token);
      }
      default:
        return this.#sql.giveBack.run(GIVEN_BACK[settlement.kind], seq, token);
    }
  }

  #recordCrash(ledger: LedgerRow, seq: number, crashes: number, signal: string | undefined): OutcomeRecord {
    const error = JSON.stringify(crashedWithProcess(crashes, signal));
    this.#sql.end.run('crashed', ++ledger.last_ordinal, crashes, error, seq);
    return outcomeRecord(this.#sql.outcome.get(seq)!);
  }
}

function differs({ priority, timeout_ms, retries }: KnownRow, task: NewTask): boolean {
  return priority !== task.priority || timeout_ms !== (task.timeoutMs ?? null) || retries !== (task.retries ?? null);
}
