/** Whether the ledger's counts are those of the tasks: else a run waits for ever for a task that is not there. */
import type { Database } from 'better-sqlite3';
import type { Audit, MendedCount } from '../contract.js';
import { STORED_STATES, WAITING, type LedgerRow, type StoredState } from './ledger.js';

const WITHOUT_OUTCOME: readonly StoredState[] = [...WAITING, 'running'];

/**
 * Tasks that are running are in no index. To look for them takes 0.1 s in a
 * million rows, so that is done only where it takes less, or where it may matter.
 */
const SCANNED_ANYWAY = 20_000;

/** Holds the counts against the tasks, and mends those that differ. @param unclean whether the last executor left the file as it was */
export function auditCounts(db: Database, ledger: LedgerRow, how: Audit, unclean: boolean): MendedCount[] {
  return agrees(db, ledger, how, unclean) ? [] : countAnew(db, ledger);
}

function agrees(db: Database, ledger: LedgerRow, how: Audit, unclean: boolean): boolean {
  if (how === 'all') return false;
  const count = (where: string) => db.prepare<[], number>(`select count(*) from tasks where ${where}`).pluck().get()!;
  // By indexes: in a million rows 20 ms for each half of them.
  if (WAITING.some((state) => count(`state = '${state}'`) !== ledger[state])) return false;
  if (heldCount(db, ledger.start) !== ledger.held) return false;
  if (how === 'waiting') return true;
  const ended = STORED_STATES.filter((state) => !WITHOUT_OUTCOME.includes(state));
  if (count('ordinal is not null') !== ended.reduce((sum, state) => sum + ledger[state], 0)) return false;
  const scan = unclean || ledger.running > 0 || ledger.last_seq <= SCANNED_ANYWAY;
  return !scan || count(`state = 'running'`) === ledger.running;
}

function countAnew(db: Database, ledger: LedgerRow): MendedCount[] {
  const known = STORED_STATES.map((state) => `'${state}'`).join(', ');
  // A damaged state would keep a task from ever running.
  const lost = db.prepare(`update tasks set state = 'queued' where state not in (${known}) and ordinal is null`).run();
  const rows = db
    .prepare<[], { state: StoredState; count: number }>('select state, count(*) as count from tasks group by state')
    .all();
  const found = new Map(rows.map(({ state, count }) => [state, count]));
  const mended: MendedCount[] = [];
  if (lost.changes > 0) mended.push({ state: 'unknown', was: lost.changes, is: 0 });
  for (const state of STORED_STATES) {
    const is = found.get(state) ?? 0;
    if (is !== ledger[state]) mended.push({ state, was: ledger[state], is });
    ledger[state] = is;
  }
  ledger.held = heldCount(db, ledger.start);
  return mended;
}

function heldCount(db: Database, start: number): number {
  const held = WAITING.map((state) => `select count(*) as n from tasks where state = '${state}' and start < @start`);
  return db
    .prepare<[{ start: number }], number>(`select sum(n) from (${held.join(' union all ')})`)
    .pluck()
    .get({ start })!;
}
