/** Every statement that writes tasks, prepared once. */
import type { Database, Statement } from 'better-sqlite3';
import type { Encoded, OutcomeState } from '../../../task/task.js';
import { MIGRATIONS } from '../file/migrations.js';
import type { LedgerRow, StoredState } from '../ledger.js';
import { CLAIMED_OF_MARK, CLAIMED_OF_TASK, outcomeColumns, outcomeSource } from './rows.js';
import type { ClaimedRow, OutcomeRow } from './rows.js';

type Nullable<T> = T | null;

/** Rows that one statement writes: half the cost of as many statements of one. */
export const ROWS = 50;

export type SubmittedColumns = [
  seq: number,
  id: Nullable<string>,
  handler: number,
  input: Encoded,
  priority: number,
  timeoutMs: Nullable<number>,
  retries: Nullable<number>,
];

export type OutcomeColumns = [
  ordinal: number,
  seq: number,
  state: OutcomeState,
  attempts: number,
  crashes: number,
  result: Nullable<Encoded>,
  error: Nullable<string>,
  startedAt: Nullable<number>,
  durationMs: number,
  thread: Nullable<number>,
  version: Nullable<number>,
];

/** A task that is there. `state` and `start`: of its outcome, or its mark; `null`: it is of the backlog. */
export interface PlacedRow {
  seq: number;
  ended: Nullable<OutcomeState>;
  marked: Nullable<StoredState>;
  crashes: number;
  start: Nullable<number>;
}

/** A task whose id was given once more. */
export interface KnownRow extends PlacedRow {
  same: 0 | 1;
  priority: number;
  timeout_ms: Nullable<number>;
  retries: Nullable<number>;
}

/** Outcomes of a state, and by what is known which of them the present start has named. */
type Named = Pick<LedgerRow, 'start' | 'start_seq' | 'start_ordinal'> & { state: OutcomeState };

const PLACED = `s.seq, o.state as ended, m.state as marked, coalesce(m.crashes, 0) as crashes, m.start
  from submitted s left join outcomes o on o.seq = s.seq left join marks m on m.seq = s.seq`;

export class Statements {
  readonly insert: Statement<SubmittedColumns>;
  /** `ROWS` at once, as one list: all, or none where an id is there already. */
  readonly insertMany: Statement;
  readonly handler: Statement<[name: string], number>;
  readonly handlerName: Statement<[key: number], string>;
  readonly compare: Statement<[handler: string, input: Encoded, id: string], KnownRow>;
  readonly takeOver: Statement<[priority: number, timeoutMs: Nullable<number>, retries: Nullable<number>, seq: number]>;
  /** In the order of their numbers. */
  readonly tasks: Statement<[first: number, last: number], ClaimedRow>;
  readonly wake: Statement<[start: number, now: number]>;
  /** Marks that are ready, in the order in which they are to run. */
  readonly readyMarks: Statement<[start: number, limit: number], { seq: number; priority: number }>;
  readonly nextSuspect: Statement<[start: number], number>;
  readonly claimMark: Statement<[alone: 0 | 1, seq: number]>;
  readonly markedTask: Statement<[seq: number], ClaimedRow>;
  readonly outcome: Statement<OutcomeColumns>;
  /** `ROWS` at once, as one list. */
  readonly outcomeMany: Statement;
  /** Takes what is kept of earlier attempts along from the mark, which is to go then. */
  readonly markedOutcome: Statement<[...OutcomeColumns, seq: number]>;
  /** Records an outcome that no attempt came to. `held`: 1 where it was held back. */
  readonly end: Statement<
    [ordinal: number, state: OutcomeState, crashes: number, error: string, held: Nullable<1>, seq: number]
  >;
  readonly mark: Statement<[seq: number, state: StoredState, start: number, priority: number]>;
  readonly unmark: Statement<[seq: number]>;
  readonly giveBack: Statement<[state: 'queued' | 'suspect', seq: number]>;
  readonly delay: Statement<[runAt: number, attempts: number, crashes: number, earlier: string, seq: number]>;
  readonly recover: Statement<
    [state: 'queued' | 'suspect', crashes: number, doubts: number, earlier: Nullable<string>, seq: number]
  >;
  readonly name: Statement<[start: number, seq: number]>;
  readonly prioritize: Statement<[priority: number, seq: number]>;
  readonly retryAll: Statement<[Named]>;
  readonly retryOne: Statement<[{ start: number; seq: number }]>;
  readonly takeBackAll: Statement<[state: OutcomeState]>;
  readonly takeBack: Statement<[seq: number]>;
  /** How many of them no start has named since the one before. */
  readonly unnamed: Statement<[Named], number>;
  readonly version: Statement<[hash: string], number>;
  readonly find: Statement<[id: string], PlacedRow>;
  readonly findGenerated: Statement<[seq: number], PlacedRow>;
  readonly outcomeOf: Statement<[seq: number], OutcomeRow>;

  constructor(db: Database) {
    const insert = 'insert into submitted (seq, id, handler, input, priority, timeout_ms, retries) values';
    this.insert = db.prepare(`${insert} ${places(7)} on conflict (id) where id is not null do nothing`);
    this.insertMany = db.prepare(`${insert} ${Array.from({ length: ROWS }, () => places(7)).join()}`);
    this.handler = keyOf(db, 'handlers', 'name');
    this.handlerName = db.prepare<[number], string>('select name from handlers where key = ?').pluck();
    this.compare = db.prepare(
      `select s.handler = (select key from handlers where name = ?) and s.input = ? as same,
       s.priority, s.timeout_ms, s.retries, ${PLACED} where s.id = ?`,
    );
    this.takeOver = db.prepare('update submitted set priority = ?, timeout_ms = ?, retries = ? where seq = ?');
    this.tasks = raw(db.prepare(`select ${CLAIMED_OF_TASK} from submitted where seq between ? and ? order by seq`));
    this.wake = db.prepare(
      `update marks set state = 'queued', run_at = null where state = 'delayed' and start = ? and run_at <= ?`,
    );
    this.readyMarks = db.prepare(
      `select seq, priority from marks where state = 'queued' and start = ? order by priority desc, seq limit ?`,
    );
    this.nextSuspect = db
      .prepare<[number], number>(`select seq from marks where state = 'suspect' and start = ? order by seq limit 1`)
      .pluck();
    this.claimMark = db.prepare(`update marks set state = 'running', alone = ? where seq = ?`);
    this.markedTask = raw(
      db.prepare(`select ${CLAIMED_OF_MARK} from marks m join submitted s on s.seq = m.seq where m.seq = ?`),
    );
    const outcome = 'ordinal, seq, state, attempts, crashes, result, error, started_at, duration_ms, thread, version';
    const many = Array.from({ length: ROWS }, () => places(11)).join();
    this.outcome = db.prepare(`insert into outcomes (${outcome}) values ${places(11)}`);
    this.outcomeMany = db.prepare(`insert into outcomes (${outcome}) values ${many}`);
    this.markedOutcome = db.prepare(
      `insert into outcomes (${outcome}, earlier)
       values (${Array(11).fill('?').join()}, (select earlier from marks where seq = ?))`,
    );
    this.end = db.prepare(
      `insert into outcomes (ordinal, seq, state, attempts, crashes, error, duration_ms, held, earlier)
       select ?, s.seq, ?, coalesce(m.attempts, 0), ?, ?, 0, ?, m.earlier
       from submitted s left join marks m on m.seq = s.seq where s.seq = ?`,
    );
    this.mark = db.prepare('insert into marks (seq, state, start, priority) values (?, ?, ?, ?)');
    this.unmark = db.prepare('delete from marks where seq = ?');
    this.giveBack = db.prepare('update marks set state = ?, alone = 0 where seq = ?');
    this.delay = db.prepare(
      `update marks set state = 'delayed', alone = 0, run_at = ?, attempts = ?, crashes = ?, earlier = ? where seq = ?`,
    );
    this.recover = db.prepare(
      'update marks set state = ?, alone = 0, crashes = ?, doubts = ?, earlier = ? where seq = ?',
    );
    this.name = db.prepare('update marks set start = ? where seq = ?');
    this.prioritize = db.prepare('update marks set priority = ? where seq = ?');
    const named = '(o.held is null and (o.seq > @start_seq or o.ordinal > @start_ordinal))';
    const again = (start: string, which: string) =>
      `insert into marks (seq, state, start, priority) select o.seq, 'queued', ${start}, s.priority
       from outcomes o join submitted s on s.seq = o.seq where ${which}`;
    this.retryAll = db.prepare(again(`@start - (not ${named})`, 'o.state = @state'));
    this.retryOne = db.prepare(again('@start', 'o.seq = @seq'));
    this.takeBackAll = db.prepare('delete from outcomes where state = ?');
    this.takeBack = db.prepare('delete from outcomes where seq = ?');
    this.unnamed = db

      .prepare<[Named], number>(`select count(*) from outcomes o where o.state = @state and not ${named}`)
      .pluck();
    this.version = keyOf(db, 'versions', 'hash');
    this.find = db.prepare(`select ${PLACED} where s.id = ?`);
    this.findGenerated = db.prepare(`select ${PLACED} where s.seq = ? and s.id is null`);
    const schema = MIGRATIONS.length;
    this.outcomeOf = db.prepare(`select ${outcomeColumns(schema)} from ${outcomeSource(schema)} where o.seq = ?`);
  }
}

function places(count: number): string {
  return `(${Array.from({ length: count }, () => '?').join()})`;
}

/** Gives the key of a text, and makes one where there is none. */
function keyOf(db: Database, table: string, column: string): Statement<[text: string], number> {
  return db
    .prepare<[string], number>(
      `insert into ${table} (${column}) values (?)
       on conflict (${column}) do update set ${column} = excluded.${column} returning key`,
    )
    .pluck();
}

/** Makes a statement give its rows as arrays; the types of the driver know only objects. */
function raw<P extends unknown[], R>(statement: Statement): Statement<P, R> {
  return statement.raw() as unknown as Statement<P, R>;
}
