/** Brings tasks into the file. */
import Database from 'better-sqlite3';
import type { NewTask } from '../../../task/task.js';
import type { AddedTask } from '../../contract.js';
import { generatedId } from '../../generated-id.js';
import { waits } from '../ledger.js';
import type { Parts } from '../parts.js';
import { ROWS, type KnownRow } from '../rows/statements.js';
import type { Transaction } from './transaction.js';

export class Adding {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  add(tx: Transaction, tasks: readonly NewTask[]): AddedTask[] {
    const added: AddedTask[] = [];
    const { backlog, recent } = this.#parts;
    const first = tx.ledger.last_seq + 1;
    tx.onRollback(() => {
      for (let seq = first; seq <= tx.ledger.last_seq; seq++) {
        backlog.open.delete(seq);
        backlog.ready.delete(seq);
        recent.take(seq);
      }
    });
    // Where one of many is there already, more will be: each by itself, then.
    let together = true;
    for (let at = 0; at < tasks.length;) {
      const some = tasks.slice(at, at + ROWS);
      together &&= some.length === ROWS && this.#insertMany(tx, some, added);
      if (!together) for (const task of some) added.push(this.#addOne(tx, task));
      at += some.length;
    }
    return added;
  }

  /** @returns false where an id is there already: none is inserted then */
  #insertMany(tx: Transaction, tasks: readonly NewTask[], added: AddedTask[]): boolean {
    const { sql, handlers } = this.#parts;
    const { ledger } = tx;
    const columns: unknown[] = [];
    // Counted here, not by SQLite, which would start anew after `clear`.
    let seq = ledger.last_seq;
    for (const { id, handler, input, priority, timeoutMs, retries } of tasks) {
      columns.push(++seq, id ?? null, handlers.key(handler), input, priority, timeoutMs ?? null, retries ?? null);
    }
    try {
      sql.insertMany.run(columns);
    } catch (error) {
      if (!isTaken(error)) throw error;
      return false;
    }
    seq = ledger.last_seq;
    for (const task of tasks) added.push(this.#inserted(tx, ++seq, task));
    return true;
  }

  #addOne(tx: Transaction, task: NewTask): AddedTask {
    const { sql, handlers } = this.#parts;
    const { id, handler, input, priority, timeoutMs, retries } = task;
    const seq = tx.ledger.last_seq + 1;
    const columns = [id ?? null, handlers.key(handler), input, priority, timeoutMs ?? null, retries ?? null] as const;
    if (sql.insert.run(seq, ...columns).changes === 0) return this.#addAgain(tx, task, id!);
    return this.#inserted(tx, seq, task);
  }

  #inserted(tx: Transaction, seq: number, task: NewTask): AddedTask {
    const { sql, backlog, recent } = this.#parts;
    const { ledger } = tx;
    tx.changed = true;
    ledger.last_seq = seq;
    ledger.queued += 1;
    if (task.priority !== 0) {
      sql.mark.run(seq, 'queued', ledger.start, task.priority);
    } else {
      backlog.open.add(seq);
      backlog.ready.add(seq);
      recent.add(seq, task);
    }
    return { seq, id: task.id ?? generatedId(seq), status: 'added' };
  }

  /** The insert was refused: the id is there. */
  #addAgain(tx: Transaction, task: NewTask, id: string): AddedTask {
    const { sql } = this.#parts;
    const known = sql.compare.get(task.handler, task.input, id)!;
    const { seq, same } = known;
    // `null`: a handler that no task has had.
    if (!same) return { seq, id, status: 'conflict' };
    if (known.ended === null) {
      if (differs(known, task)) this.#takeOver(tx, known, task);
      this.#name(tx, known);
    }
    return { seq, id, status: 'duplicate' };
  }

  /** From now on it has priority, timeout and retries as they are given now. */
  #takeOver(tx: Transaction, known: KnownRow, task: NewTask): void {
    const { sql, backlog, recent } = this.#parts;
    const { ledger } = tx;
    const { priority, timeoutMs, retries } = task;
    const { seq } = known;
    tx.changed = true;
    sql.takeOver.run(priority, timeoutMs ?? null, retries ?? null, seq);
    recent.take(seq);
    if (known.marked !== null) {
      sql.prioritize.run(priority, seq);
    } else if (priority !== 0) {
      known.marked = backlog.claimed.has(seq) ? 'running' : 'queued';
      known.start = ledger.start - (backlog.isHeld(seq) ? 1 : 0);
      sql.mark.run(seq, known.marked, known.start, priority);
      backlog.leave(tx, seq);
    }
  }

  /** It is held back no longer. */
  #name(tx: Transaction, { seq, marked, start }: KnownRow): void {
    const { sql, backlog } = this.#parts;
    const { ledger } = tx;
    if (marked === null) {
      if (!backlog.isHeld(seq)) return;
      backlog.ready.add(seq);
      tx.onRollback(() => backlog.ready.delete(seq));
    } else {
      if (start! >= ledger.start || !waits(marked)) return;
      tx.changed = true;
      sql.name.run(ledger.start, seq);
    }
    ledger.held -= 1;
    tx.came.add(marked ?? 'queued');
  }
}

function differs({ priority, timeout_ms, retries }: KnownRow, task: NewTask): boolean {
  return priority !== task.priority || timeout_ms !== (task.timeoutMs ?? null) || retries !== (task.retries ?? null);
}

function isTaken(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE';
}
