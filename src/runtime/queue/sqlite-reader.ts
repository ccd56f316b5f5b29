/** Reads a queue's file, beside its executor or long after it. */
import type { Database, Statement } from 'better-sqlite3';
import type { OutcomeState, TaskCounts } from '../task.js';
import type { OutcomeRecord, QueueReader } from './contract.js';
import { generatedSeq } from './generated-id.js';
import { queueClosed } from './refusals.js';
import { inQueueWords } from './sqlite-errors.js';
import { openForReading } from './sqlite-file.js';
import { countsOf, Ledger } from './sqlite-ledger.js';
import { OUTCOME_COLUMNS, outcomeRecord } from './sqlite-rows.js';
import type { OutcomeRow } from './sqlite-rows.js';

/** Outcomes are read by pages, each in a transaction of its own: a long one would keep the log from shrinking. */
const PAGE_ORDINALS = 256;
/** A page ends early when it has read this much. */
const PAGE_BYTES = 1 << 20;

/**
 * Opens the queue at `path` to be read: nothing is created, migrated or
 * written, and its executor may be running, be gone, or have been killed.
 *
 * @returns `undefined` if there is no queue there (yet).
 * @throws HoldfastError `ERR_QUEUE_NEWER_SCHEMA`, `ERR_QUEUE_CORRUPT`, `ERR_QUEUE_READ_ONLY` (the process may
 * not read the file), `ERR_QUEUE_BUSY`, `ERR_QUEUE_IO`.
 */
export async function openSqliteQueueReader(path: string): Promise<QueueReader | undefined> {
  return inQueueWords(path, () => {
    const db = openForReading(path);
    return db && new SqliteReader(db);
  });
}

export class SqliteReader implements QueueReader {
  readonly #db: Database;
  readonly #ledger: Ledger;
  readonly #bySeq: Statement<[number], OutcomeRow>;
  readonly #byId: Statement<[string], OutcomeRow>;
  readonly #page: Statement<[number, number], OutcomeRow>;
  readonly #pageOfState: Statement<[number, number, OutcomeState], OutcomeRow>;
  readonly #nextDue: Statement<[], number | null>;

  constructor(db: Database) {
    const select = `select ${OUTCOME_COLUMNS} from tasks where ordinal`;
    this.#db = db;
    this.#ledger = new Ledger(db);
    this.#bySeq = db.prepare(`${select} is not null and seq = ? and id is null`);
    this.#byId = db.prepare(`${select} is not null and id = ?`);
    this.#page = db.prepare(`${select} > ? and ordinal <= ? order by ordinal`);
    this.#pageOfState = db.prepare(`${select} > ? and ordinal <= ? and state = ? order by ordinal`);
    this.#nextDue = db.prepare<[], number | null>(`select min(run_at) from tasks where state = 'delayed'`).pluck();
  }

  async counts(): Promise<TaskCounts> {
    return this.#read(() => countsOf(this.#ledger.read()));
  }

  async lastOrdinal(): Promise<number> {
    return this.#read(() => this.#ledger.read().last_ordinal);
  }

  async nextDue(): Promise<number | undefined> {
    return this.#read(() => this.#nextDue.get() ?? undefined);
  }

  async suspects(): Promise<number> {
    return this.#read(() => this.#ledger.read().suspect);
  }

  async outcome(id: string): Promise<OutcomeRecord | undefined> {
    return this.#read(() => {
      const seq = generatedSeq(id);
      const row = seq === undefined ? this.#byId.get(id) : this.#bySeq.get(seq);
      return row && outcomeRecord(row);
    });
  }

  async *outcomes(filter: { state?: OutcomeState; afterOrdinal?: number } = {}): AsyncIterable<OutcomeRecord> {
    let after = filter.afterOrdinal ?? 0;
    for (;;) {
      const page = this.#read(() => this.#readPage(after, filter.state));
      yield* page.records;
      if (page.upTo <= after) return;
      after = page.upTo;
    }
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** Outcomes after an ordinal, and the ordinal up to which nothing is missing. */
  #readPage(after: number, state: OutcomeState | undefined): { records: OutcomeRecord[]; upTo: number } {
    // Read first: whatever comes up to this ordinal is committed by then, so
    // that the page cannot step over an outcome that is being recorded.
    const upTo = Math.min(after + PAGE_ORDINALS, this.#ledger.read().last_ordinal);
    const rows = state ? this.#pageOfState.iterate(after, upTo, state) : this.#page.iterate(after, upTo);
    const records: OutcomeRecord[] = [];
    let bytes = 0;
    for (const row of rows) {
      records.push(outcomeRecord(row));
      bytes += (row.result?.length ?? 0) + (row.error?.length ?? 0);
      if (bytes > PAGE_BYTES) return { records, upTo: row.ordinal };
    }
    return { records, upTo };
  }

  #read<T>(body: () => T): T {
    if (!this.#db.open) throw queueClosed();
    return inQueueWords(this.#db.name, body);
  }
}
