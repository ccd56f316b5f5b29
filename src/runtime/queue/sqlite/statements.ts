/** Every statement that writes tasks, prepared once. */
import type { Database, Statement } from 'better-sqlite3';
import type { Encoded, OutcomeState } from '../../task/task.js';
import { MIGRATIONS } from './migrations.js';
import type { StoredState } from './ledger.js';
import { CLAIMED_COLUMNS, outcomeColumns } from './rows.js';
import type { ClaimedRow, OutcomeRow } from './rows.js';

type Nullable<T> = T | null;
type Place = { seq: number; state: StoredState; crashes: number; start: number };

/** A task whose id was given once more. */
export interface KnownRow {
  seq: number;
  same: 0 | 1;
  state: StoredState;
  start: number;
  priority: number;
  timeout_ms: number | null;
  retries: number | null;
}

/** No row changes unless the task is running under the claim given last. */
const OURS = `where seq = ? and state = 'running' and claim = ?`;

export class Statements {
  readonly insert: Statement<
    [
      seq: number,
      id: Nullable<string>,
      handler: string,
      input: Encoded,
      priority: number,
      timeoutMs: Nullable<number>,
      retries: Nullable<number>,
      start: number,
    ]
  >;
  readonly compare: Statement<[handler: string, input: Encoded, id: string], KnownRow>;
  readonly takeOver: Statement<
    [start: number, priority: number, timeoutMs: Nullable<number>, retries: Nullable<number>, seq: number]
  >;
  readonly wake: Statement<[start: number, now: number]>;
  /** In no order: SQLite promises none for what RETURNING gives. */
  readonly claim: Statement<[claim: number, start: number, limit: number], ClaimedRow>;
  readonly claimSuspect: Statement<[claim: number, start: number], ClaimedRow>;
  readonly settle: Statement<
    [
      state: OutcomeState,
      ordinal: number,
      attempts: number,
      crashes: number,
      result: Nullable<Encoded>,
      error: Nullable<string>,
      startedAt: Nullable<number>,
      durationMs: number,
      thread: Nullable<number>,
      version: Nullable<number>,
      seq: number,
      claim: number,
    ]
  >;
  readonly delay: Statement<
    [runAt: number, attempts: number, crashes: number, earlier: string, seq: number, claim: number]
  >;
  readonly giveBack: Statement<[state: 'queued' | 'suspect', seq: number, claim: number]>;
  readonly recover: Statement<
    [state: 'queued' | 'suspect', crashes: number, doubts: number, earlier: Nullable<string>, seq: number]
  >;
  /** Records an outcome that no attempt came to. */
  readonly end: Statement<[state: OutcomeState, ordinal: number, crashes: number, error: string, seq: number]>;
  readonly reset: Statement<[state: OutcomeState, start: number]>;
  readonly resetTask: Statement<[start: number, seq: number]>;
  readonly version: Statement<[hash: string], number>;
  readonly find: Statement<[id: string], Place>;
  readonly findGenerated: Statement<[seq: number], Place>;
  readonly outcome: Statement<[seq: number], OutcomeRow>;

  constructor(db: Database) {
    this.insert = db.prepare(
      `insert into tasks (seq, id, handler, input, priority, timeout_ms, retries, start) values (?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (id) where id is not null do nothing`,
    );
    this.compare = db.prepare(
      `select seq, handler = ? and input = ? as same, state, start, priority, timeout_ms, retries
       from tasks where id = ?`,
    );
    this.takeOver = db.prepare('update tasks set start = ?, priority = ?, timeout_ms = ?, retries = ? where seq = ?');
    this.wake = db.prepare(
      `update tasks set state = 'queued', run_at = null where state = 'delayed' and start = ? and run_at <= ?`,
    );
    this.claim = raw(
      db.prepare(
        `update tasks set state = 'running', claim = ? where seq in
         (select seq from tasks where state = 'queued' and start = ? order by priority desc, seq limit ?)
         returning ${CLAIMED_COLUMNS}`,
      ),
    );
    this.claimSuspect = raw(
      db.prepare(
        `update tasks set state = 'running', claim = ?, alone = 1 where seq =
         (select seq from tasks where state = 'suspect' and start = ? order by seq limit 1)
         returning ${CLAIMED_COLUMNS}`,
      ),
    );
    this.settle = db.prepare(
      `update tasks set state = ?, ordinal = ?, attempts = ?, crashes = ?, result = ?, error = ?,
       started_at = ?, duration_ms = ?, thread = ?, version = ? ${OURS}`,
    );
    this.delay = db.prepare(
      `update tasks set state = 'delayed', alone = 0, run_at = ?, attempts = ?, crashes = ?, earlier = ? ${OURS}`,
    );
    this.giveBack = db.prepare(`update tasks set state = ?, alone = 0 ${OURS}`);
    this.recover = db.prepare(
      'update tasks set state = ?, alone = 0, crashes = ?, doubts = ?, earlier = ? where seq = ?',
    );
    this.end = db.prepare(
      `update tasks set state = ?, ordinal = ?, crashes = ?, error = ?, duration_ms = 0, run_at = null
       where seq = ?`,
    );
    const anew = `state = 'queued', claim = null, alone = 0, attempts = 0, crashes = 0, doubts = 0,
       run_at = null, ordinal = null, result = null, error = null, started_at = null, duration_ms = null,
       thread = null, version = null, earlier = null`;
    this.reset = db.prepare(`update tasks set ${anew} where state = ? and start <= ?`);
    this.resetTask = db.prepare(`update tasks set ${anew}, start = ? where seq = ?`);
    this.version = db
      .prepare<[string], number>(
        'insert into versions (hash) values (?) on conflict (hash) do update set hash = excluded.hash returning key',
      )
      .pluck();
    this.find = db.prepare('select seq, state, crashes, start from tasks where id = ?');
    this.findGenerated = db.prepare('select seq, state, crashes, start from tasks where seq = ? and id is null');
    this.outcome = db.prepare(`select ${outcomeColumns(MIGRATIONS.length)} from tasks where seq = ?`);
  }
}

/** Makes a statement give its rows as arrays; the types of the driver know only objects. */
function raw<P extends unknown[], R>(statement: Statement): Statement<P, R> {
  return statement.raw() as unknown as Statement<P, R>;
}
