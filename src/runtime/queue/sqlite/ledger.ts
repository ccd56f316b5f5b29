/** The one row of `run`: the epoch, the last ordinal, and how many tasks stand where. */
import type { Database, Statement } from 'better-sqlite3';
import type { TaskCounts, TaskState } from '../../task/task.js';

/** A task's state in the file. Outside, a suspect is just queued. */
export type StoredState = TaskState | 'suspect';

export interface LedgerRow extends Record<StoredState, number> {
  epoch: number;
  last_seq: number;
  last_ordinal: number;
  /** Claims made so far, by all executors. */
  claims: number;
  /** The number of the start that names tasks now. */
  start: number;
  /** Waiting tasks of earlier starts. */
  held: number;
}

export const STORED_STATES: readonly StoredState[] = [
  'queued',
  'delayed',
  'suspect',
  'running',
  'done',
  'failed',
  'crashed',
  'timed-out',
  'cancelled',
];

/** In which tasks may be held back. */
export const WAITING = ['queued', 'delayed', 'suspect'] as const;

export function waits(state: StoredState): boolean {
  return (WAITING as readonly string[]).includes(state);
}

/** All that tasks change; the epoch is written only when the queue is opened. */
const COLUMNS: readonly (keyof LedgerRow)[] = ['last_seq', 'last_ordinal', 'claims', 'start', 'held', ...STORED_STATES];

export class Ledger {
  readonly #db: Database;
  readonly #select: Statement<[], LedgerRow>;
  #update: Statement<number[]> | undefined;

  constructor(db: Database) {
    this.#db = db;
    this.#select = db.prepare('select * from run');
  }

  read(): LedgerRow {
    return this.#select.get()!;
  }

  /** Writes what changed since `before`; a transaction that changes nothing costs no fsync. */
  write(row: LedgerRow, before: LedgerRow): void {
    if (COLUMNS.every((column) => row[column] === before[column])) return;
    // Not for a reader, whose file may be of a schema without some of them.
    this.#update ??= this.#db.prepare(`update run set ${COLUMNS.map((column) => `"${column}" = ?`).join(', ')}`);
    this.#update.run(...COLUMNS.map((column) => row[column]));
  }
}

/** Makes this process the one that may write; the one before it is refused from now on. */
export function raiseEpoch(db: Database): Pick<LedgerRow, 'epoch' | 'claims'> {
  const raise = db.prepare<[], LedgerRow>('update run set epoch = epoch + 1 returning epoch, claims');
  return raise.get()!;
}

/** Moves `count` tasks from one state to another. */
export function move(row: LedgerRow, from: StoredState, to: StoredState, count: number): void {
  row[from] -= count;
  row[to] += count;
}

export function countsOf(row: LedgerRow): TaskCounts {
  return {
    queued: row.queued + row.suspect,
    delayed: row.delayed,
    running: row.running,
    done: row.done,
    failed: row.failed,
    crashed: row.crashed,
    'timed-out': row['timed-out'],
    cancelled: row.cancelled,
  };
}
