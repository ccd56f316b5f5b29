/** The one row of `run`: the epoch, the last ordinal, and how many tasks stand where. */
import type { Database, Statement } from 'better-sqlite3';
import type { TaskCounts, TaskState } from '../../task/task.js';

/** A task's state in the file. Outside, a suspect is just queued. */
export type StoredState = TaskState | 'suspect';

export interface LedgerRow extends Record<StoredState, number> {
  epoch: number;
  /** Of the last task that was forgotten by `clear`; 0: none was. */
  cleared_seq: number;
  last_seq: number;
  last_ordinal: number;
  /** All tasks before it have an outcome or a mark. */
  low: number;
  /** The number of the start that names tasks now. */
  start: number;
  /** What stood last when it began. */
  start_seq: number;
  start_ordinal: number;
  /** Tasks of the backlog before it are held back until they are named. */
  held_below: number;
  /** Waiting tasks of earlier starts. */
  held: number;
}

/** Those with an outcome. */
export const ENDED = ['done', 'failed', 'crashed', 'timed-out', 'cancelled'] as const;

/** In which tasks may be held back. */
export const WAITING = ['queued', 'delayed', 'suspect'] as const;

export const STORED_STATES: readonly StoredState[] = [...WAITING, 'running', ...ENDED];

export function waits(state: StoredState): state is (typeof WAITING)[number] {
  return (WAITING as readonly string[]).includes(state);
}

/** All that tasks change; the epoch is written only when an executor joins. */
const COLUMNS: readonly (keyof LedgerRow)[] = [
  'cleared_seq',
  'last_seq',
  'last_ordinal',
  'low',
  'start',
  'start_seq',
  'start_ordinal',
  'held_below',
  'held',
  ...STORED_STATES,
];

export class Ledger {
  readonly #select: Statement<[], LedgerRow>;
  readonly #epoch: Statement<[], number>;
  readonly #update: Statement<number[]>;

  constructor(db: Database) {
    this.#select = db.prepare('select * from run');
    this.#epoch = db.prepare<[], number>('select epoch from run').pluck();
    this.#update = db.prepare(`update run set ${COLUMNS.map((column) => `"${column}" = ?`).join(', ')}`);
  }

  read(): LedgerRow {
    return this.#select.get()!;
  }

  epoch(): number {
    return this.#epoch.get()!;
  }

  write(row: LedgerRow): void {
    this.#update.run(COLUMNS.map((column) => row[column]) as never);
  }

  /** Whether it is not as it stands in the file. */
  differs(row: LedgerRow): boolean {
    const written = this.read();
    return COLUMNS.some((column) => row[column] !== written[column]);
  }
}

/** Makes this process the one that may write; the one before it is refused from now on. */
export function raiseEpoch(db: Database): number {
  return db.prepare<[], number>('update run set epoch = epoch + 1 returning epoch').pluck().get()!;
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
