/** Whether the ledger's counts are those of the tasks: else a run waits for ever for a task that is not there. */
import type { Database } from 'better-sqlite3';
import type { Audit, MendedCount } from '../contract.js';
import { ENDED, STORED_STATES, WAITING, type LedgerRow, type StoredState } from './ledger.js';
import type { Parts } from './parts.js';
import type { Transaction } from './writes/transaction.js';

/** Holds the counts against the tasks, and mends those that differ. */
export function auditCounts(tx: Transaction, { db, backlog }: Parts, how: Audit): MendedCount[] {
  const { ledger } = tx;
  const mended: MendedCount[] = [];
  const lost = freeUnknownMarks(db);
  if (lost > 0) mended.push({ state: 'unknown', was: lost, is: 0 });
  const ended = how === 'waiting' ? undefined : endedCounts(db, ledger, how);
  const counts = { ...ended };
  // Where an outcome is gone, its task waits again.
  if (ended !== undefined && backlog.claimed.size === 0) {
    ledger.low = ledger.cleared_seq + 1;
    backlog.find(db, ledger);
  }
  Object.assign(counts, waitingCounts(db, backlog.waiting, backlog.open.size - backlog.waiting));
  for (const state of STORED_STATES) {
    const is = counts[state] ?? ledger[state];
    if (is !== ledger[state]) mended.push({ state, was: ledger[state], is });
    ledger[state] = is;
  }
  ledger.held = heldCount(db, ledger) + backlog.waiting - backlog.ready.size;
  tx.changed ||= mended.length > 0;
  return mended;
}

/**
 * What a file that was just opened tells of tasks without an outcome, in place of what its ledger says: a claim is
 * no row, so one that was not closed says of some that they are running, and of others that they wait.
 *
 * @returns what differs by more than that
 */
export function countOpenTasks(ledger: LedgerRow, { db, backlog }: Parts): MendedCount[] {
  const mended: MendedCount[] = [];
  const lost = freeUnknownMarks(db);
  if (lost > 0) mended.push({ state: 'unknown', was: lost, is: 0 });
  const counts = waitingCounts(db, backlog.open.size, 0);
  const known = { ...ledger, queued: ledger.queued + ledger.running - counts.running, running: counts.running };
  for (const state of WAITING) {
    if (known[state] !== counts[state]) mended.push({ state, was: known[state], is: counts[state] });
  }
  Object.assign(ledger, counts);
  ledger.held = heldCount(db, ledger) + backlog.open.size - backlog.ready.size;
  return mended;
}

/** A damaged state would keep a task from ever running. */
function freeUnknownMarks(db: Database): number {
  const known = [...WAITING, 'running'].map((state) => `'${state}'`).join();
  return db.prepare(`update marks set state = 'queued' where state not in (${known})`).run().changes;
}

/** @param queued of the backlog, as `running` */
function waitingCounts(db: Database, queued: number, running: number) {
  const counts = { queued, delayed: 0, suspect: 0, running };
  const rows = db
    .prepare<[], { state: keyof typeof counts; count: number }>(
      'select state, count(*) as count from marks group by state',
    )
    .all();
  for (const { state, count } of rows) counts[state] += count;
  return counts;
}

/** By an index: 20 ms in a million. `undefined`: they are as the ledger says. */
function endedCounts(db: Database, ledger: LedgerRow, how: Audit): Partial<Record<StoredState, number>> | undefined {
  const all = db.prepare<[], number>('select count(*) from outcomes').pluck().get()!;
  if (how !== 'all' && all === ENDED.reduce((sum, state) => sum + ledger[state], 0)) return undefined;
  const rows = db
    .prepare<[], { state: StoredState; count: number }>('select state, count(*) as count from outcomes group by state')
    .all();
  const counts = Object.fromEntries(ENDED.map((state) => [state, 0]));
  for (const { state, count } of rows) if (state in counts) counts[state] = count;
  return counts;
}

function heldCount(db: Database, { start }: LedgerRow): number {
  const states = WAITING.map((state) => `'${state}'`).join();
  return db
    .prepare<[number], number>(`select count(*) from marks where start < ? and state in (${states})`)
    .pluck()
    .get(start)!;
}
