/** The one row of `run`: the epoch, the last ordinal, and how many tasks stand where. */
import type { Database, Statement } from 'better-sqlite3';
import type { TaskCounts, TaskState } from '../task.js';

/** A task's state in the file. Outside, a suspect is just queued. */
export type StoredState = TaskState | 'suspect';

export interface LedgerRow extends Record<StoredState, number> {
  epoch: number;
  last_seq: number;
  last_ordinal: number;
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

/** All that tasks change; the epoch is written only when the queue is opened. */
const COLUMNS: readonly (keyof LedgerRow)[] = ['last_seq', 'last_ordinal', ...STORED_STATES];

export class Ledger {
  readonly #select: Statement<[], LedgerRow>;
  readonly #update: Statement<number[]>;

  constructor(db: Database) {
    this.#select = db.prepare('select * from run');
    // A reader prepares it too: only running it takes a writable file.
    this.#update = db.prepare(`update run set ${COLUMNS.map((column) => `"${column}" = ?`).join(', ')}`);
  }

  read(): LedgerRow {
    return this.#select.get()!;
  }

  /** Writes what changed since `before`; a transaction that changes nothing costs no fsync. */
  write(row: LedgerRow, before: LedgerRow): void {
    if (COLUMNS.every((column) => row[column] === before[column])) return;
    this.#update.run(...COLUMNS.map((column) => row[column]));
  }
}

/** Makes this process the one that may write; the one before it is refused from now on. */
export function raiseEpoch(db: Database): number {
  return db.prepare('update run set epoch = epoch + 1 returning epoch').pluck().get() as number;
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
