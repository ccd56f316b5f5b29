/** Reads a queue's file, beside its executor or long after it. */
import type { Database, Statement } from 'better-sqlite3';
import { HoldfastError } from '../../../base/errors.js';
import type { Encoded, TaskCounts } from '../../task/task.js';
import type {
  Cursor,
  OutcomeChoice,
  OutcomeFilter,
  OutcomePage,
  OutcomeRecord,
  RecordReader,
  RunIdentity,
  Standing,
  WithInput,
} from '../contract.js';
import { generatedSeq } from '../generated-id.js';
import { schemaVersion } from './file/migrations.js';
import { damagedRecord, queueClosed } from '../refusals.js';
import { inQueueWords } from './file/errors.js';
import { openForReading } from './file/file.js';
import { countOfOtherVersions, readIdentity } from './rows/identity.js';
import { countsOf, type LedgerRow } from './ledger.js';
import { inputColumn, MARKS_APART, outcomeColumns, outcomeRecord, outcomeSource } from './rows/rows.js';
import type { OutcomeRow } from './rows/rows.js';

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
export async function openSqliteQueueReader(path: string): Promise<RecordReader | undefined> {
  return inQueueWords(path, () => {
    const db = openForReading(path);
    return db && new SqliteReader(db);
  });
}

interface PageBounds {
  after: number;
  upTo: number;
  state: string | undefined;
}

/** The outcomes between two ordinals. */
type Pages = (after: number, upTo: number) => Iterable<OutcomeRow>;

export class SqliteReader implements RecordReader {
  readonly #db: Database;
  readonly #run: Statement<[], LedgerRow>;
  readonly #bySeq: Statement<[number], OutcomeRow>;
  readonly #byId: Statement<[string], OutcomeRow>;
  #standing: Statement<[string, Encoded, string], { state: Standing['state']; same: 0 | 1 | null }> | undefined;
  /** Of the file: one that is only read may be older than this version of holdfast. */
  readonly #schema: number;
  readonly #columns: string;
  readonly #source: string;

  constructor(db: Database) {
    this.#db = db;
    this.#schema = schemaVersion(db);
    this.#columns = outcomeColumns(this.#schema);
    this.#source = `${outcomeSource(this.#schema)} where o.ordinal is not null`;
    this.#run = db.prepare('select * from run');
    const select = `select ${this.#columns}, ${inputColumn(this.#schema)} from ${this.#source}`;
    const task = this.#schema < MARKS_APART ? 'o' : 's';
    this.#bySeq = db.prepare(`${select} and o.seq = ? and ${task}.id is null`);
    this.#byId = db.prepare(`${select} and ${task}.id = ?`);
  }

  async counts(): Promise<TaskCounts> {
    return this.#read(() => countsOf(this.#run.get()!));
  }

  async lastOrdinal(): Promise<number> {
    return this.#read(() => this.#run.get()!.last_ordinal);
  }

  async identity(): Promise<RunIdentity | undefined> {
    return this.#read(() => readIdentity(this.#db, this.#schema));
  }

  async outcomesOfOtherVersions(version: string): Promise<number> {
    return this.#read(() => countOfOtherVersions(this.#db, this.#schema, version));
  }

  async outcome(id: string, { withInput = false }: WithInput = {}): Promise<OutcomeRecord | undefined> {
    return this.#read(() => {
      const seq = generatedSeq(id);
      const row = seq === undefined ? this.#byId.get(id) : this.#bySeq.get(seq);
      if (row === undefined) return undefined;
      const { input, ...record } = outcomeRecord(row);
      return withInput ? { ...record, input: input! } : record;
    });
  }

  async standing(id: string, handler: string, input: Encoded): Promise<Standing | undefined> {
    return this.#read(() => {
      this.#standing ??= this.#db.prepare('select state, handler = ? and input = ? as same from tasks where id = ?');
      const found = this.#standing.get(handler, input, id);
      return found && { state: found.state, same: found.same === 1 };
    });
  }

  async *outcomes(filter: OutcomeFilter = {}): AsyncIterable<OutcomeRecord> {
    let after = filter.afterOrdinal ?? 0;
    const pages = this.#read(() => this.#pages(filter));
    for (;;) {
      const { outcomes, cursor } = this.#pageOrSingles(after, pages, filter.onDamaged);
      yield* outcomes;
      if (cursor === after) return;
      after = cursor;
    }
  }

  async outcomesAfter(cursor: Cursor, choice: OutcomeChoice = {}): Promise<OutcomePage> {
    const pages = this.#read(() => this.#pages(choice));
    return this.#pageOrSingles(cursor, pages, choice.onDamaged);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** Where a part of the file is damaged, each record of the page is tried by itself. */
  #pageOrSingles(after: Cursor, pages: Pages, onDamaged: OutcomeChoice['onDamaged']): OutcomePage {
    try {
      return this.#read(() => this.#readPage(after, pages, onDamaged));
    } catch (error) {
      if (onDamaged === undefined || !(error instanceof HoldfastError) || error.code !== 'ERR_QUEUE_CORRUPT')
        throw error;
      const cursor = this.#read(() => this.#endOfPage(after));
      const outcomes: OutcomeRecord[] = [];
      for (let ordinal = after + 1; ordinal <= cursor; ordinal++) {
        try {
          outcomes.push(...this.#read(() => recordsOf(pages(ordinal - 1, ordinal), onDamaged)));
        } catch (trouble) {
          onDamaged(damagedRecord(`with the ordinal ${ordinal}`, (trouble as Error).message, trouble));
        }
      }
      return { outcomes, cursor };
    }
  }

  #readPage(after: Cursor, pages: Pages, onDamaged: OutcomeChoice['onDamaged']): OutcomePage {
    // Read first: whatever comes up to this ordinal is committed by then, so
    // that the page cannot step over an outcome that is being recorded.
    const cursor = this.#endOfPage(after);
    const outcomes: OutcomeRecord[] = [];
    let bytes = 0;
    for (const row of pages(after, cursor)) {
      outcomes.push(...recordsOf([row], onDamaged));
      bytes += (row.result?.length ?? 0) + (row.error?.length ?? 0) + (row.input?.length ?? 0);
      if (bytes > PAGE_BYTES) return { outcomes, cursor: row.ordinal };
    }
    return { outcomes, cursor };
  }

  /** Never before its start, even if that was read elsewhere and lies behind all there are. */
  #endOfPage(after: Cursor): Cursor {
    return Math.max(after, Math.min(after + PAGE_ORDINALS, this.#run.get()!.last_ordinal));
  }

  #pages({ state, withInput = false }: OutcomeChoice): Pages {
    const columns = withInput ? `${this.#columns}, ${inputColumn(this.#schema)}` : this.#columns;
    const ofState = state === undefined ? '' : ` and o.state ${state === 'not-done' ? '<>' : '='} @state`;
    const statement = this.#db.prepare<[PageBounds], OutcomeRow>(
      `select ${columns} from ${this.#source} and o.ordinal > @after and o.ordinal <= @upTo${ofState} order by o.ordinal`,
    );
    return (after, upTo) => statement.iterate({ after, upTo, state: state === 'not-done' ? 'done' : state });
  }

  #read<T>(body: () => T): T {
    if (!this.#db.open) throw queueClosed();
    return inQueueWords(this.#db.name, body);
  }
}

/** The records that are whole; one that is not is told, or thrown where nobody is to be told. */
function recordsOf(rows: Iterable<OutcomeRow>, onDamaged: OutcomeChoice['onDamaged']): OutcomeRecord[] {
  const records: OutcomeRecord[] = [];
  for (const row of rows) {
    try {
      records.push(outcomeRecord(row));
    } catch (error) {
      if (onDamaged === undefined) throw error;
      onDamaged(error as HoldfastError);
    }
  }
  return records;
}
