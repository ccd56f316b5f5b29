/**
 * The queue's schema, as the steps that lead to it. `PRAGMA user_version`
 * counts the steps taken, and `PRAGMA application_id` tells that the file is a
 * queue at all.
 */
import type { Database } from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.js';

/** "hold" in ASCII. */
const APPLICATION_ID = 0x686f6c64;

/**
 * Never change a step that was published: add one.
 *
 * A task is one row when it is submitted, and one more when it has its outcome:
 * both at the end of their table, which costs half of a row that is written
 * three times. A task that does not just wait in line (it has a priority, is to
 * be tried again, or alone, has run for a while, …) has a row in `marks` until
 * its outcome is there. A claim is no row: see `backlog.ts`.
 *
 * `run` holds one row. It counts the tasks of each state, so that nobody ever
 * has to count a million rows.
 *
 * A start holds back all of the backlog that was there before it by one number,
 * `run.held_below`, and a mark where its `start` is not that of the run.
 * `run.held` counts both. Handlers and the text of a module are keys of one
 * byte in a task; the view `tasks` shows them as text.
 */
export const MIGRATIONS: readonly string[] = [
  `create table run (
    epoch integer not null default 0,
    last_seq integer not null default 0,
    last_ordinal integer not null default 0,
    queued integer not null default 0,
    delayed integer not null default 0,
    suspect integer not null default 0,
    running integer not null default 0,
    done integer not null default 0,
    failed integer not null default 0,
    crashed integer not null default 0,
    "timed-out" integer not null default 0,
    cancelled integer not null default 0
  );
  insert into run default values;

  create table tasks (
    seq integer primary key,
    id text,                     -- null: '#' and the seq
    handler text not null,
    input not null,              -- JSON as text, or structured-clone bytes as a blob
    priority integer not null,
    timeout_ms integer,
    retries integer,
    state text not null default 'queued',
    epoch integer,               -- of the executor that claimed it last
    alone integer not null default 0,  -- 1: running, and nothing beside it
    attempts integer not null default 0,
    crashes integer not null default 0,
    doubts integer not null default 0, -- times it was interrupted, and got the benefit of the doubt
    run_at integer,              -- of a delayed task: milliseconds since the epoch
    ordinal integer,             -- place of its outcome in the order of recording
    result,                      -- like input
    error text,                  -- JSON
    started_at real,
    duration_ms real,
    thread integer
  );
  create unique index by_id on tasks (id) where id is not null;
  create index ready on tasks (priority desc) where state = 'queued';
  create index due on tasks (run_at) where state = 'delayed';
  create index suspects on tasks (seq) where state = 'suspect';
  create unique index by_ordinal on tasks (ordinal) where ordinal is not null;`,

  `create table identity (        -- one row, once a start has recorded it
    module text not null,
    real_module text not null,
    handler text,
    source text,
    version text
  );
  create table versions (key integer primary key, hash text not null unique);
  alter table run add column start integer not null default 1;
  alter table run add column held integer not null default 0;
  alter table tasks add column start integer not null default 1;  -- in which it was named last while it had no outcome
  alter table tasks add column version integer;                   -- a key of versions
  alter table tasks add column earlier text;                      -- JSON: what earlier attempts ended with
  drop index ready;
  drop index due;
  drop index suspects;
  create index ready on tasks (start, priority desc) where state = 'queued';
  create index due on tasks (start, run_at) where state = 'delayed';
  create index suspects on tasks (start, seq) where state = 'suspect';`,

  `alter table run add column claims integer not null default 0;  -- made so far, by all executors
  update run set claims = epoch;
  alter table tasks rename column epoch to claim;                 -- the last one of it; before, the epoch of who made it`,

  `create table handlers (key integer primary key, name text not null unique);
  create table submitted (        -- every task, as it was submitted
    seq integer primary key,
    id text,                      -- null: '#' and the seq
    handler integer not null,     -- a key of handlers
    input not null,               -- JSON as text, or structured-clone bytes as a blob
    priority integer not null,
    timeout_ms integer,
    retries integer,
    traceparent text,             -- trace context of whoever submitted it
    needs text,                   -- JSON: ids of tasks that are to be done before
    holds text                    -- JSON: what it has for itself while it runs
  );
  create table outcomes (
    ordinal integer primary key,  -- place in the order of recording
    seq integer not null,
    state text not null,
    attempts integer not null,
    crashes integer not null,
    result,                       -- like input
    error text,                   -- JSON
    started_at real,              -- milliseconds since the epoch
    duration_ms real not null,
    thread integer,
    version integer,              -- a key of versions
    host text,                    -- that it ran on; null: this one
    held integer,                 -- 1: cancelled while it was held back
    earlier text                  -- JSON: what earlier attempts ended with
  );
  create table marks (            -- of tasks without an outcome that do not just wait in line
    seq integer primary key,
    state text not null,
    start integer not null,       -- in which it was named last
    priority integer not null,
    run_at integer,               -- of a delayed task: milliseconds since the epoch
    alone integer not null default 0,  -- 1: running, and nothing beside it
    attempts integer not null default 0,
    crashes integer not null default 0,
    doubts integer not null default 0, -- times it was interrupted, and got the benefit of the doubt
    earlier text
  );
  insert into handlers (name) select distinct handler from tasks;
  insert into submitted (seq, id, handler, input, priority, timeout_ms, retries)
    select seq, id, (select key from handlers where name = tasks.handler), input, priority, timeout_ms, retries
    from tasks order by seq;
  insert into outcomes (ordinal, seq, state, attempts, crashes, result, error, started_at, duration_ms, thread, version, earlier)
    select ordinal, seq, state, attempts, crashes, result, error, started_at, coalesce(duration_ms, 0), thread, version, earlier
    from tasks where ordinal is not null order by ordinal;
  insert into marks (seq, state, start, priority, run_at, alone, attempts, crashes, doubts, earlier)
    select seq, state, start, priority, run_at, alone, attempts, crashes, doubts, earlier
    from tasks where ordinal is null
      and (state <> 'queued' or priority <> 0 or attempts + crashes + doubts > 0 or start < (select start from run));
  create table run_4 (
    epoch integer not null default 0,
    cleared_seq integer not null default 0,
    last_seq integer not null default 0,
    last_ordinal integer not null default 0,
    low integer not null default 1,         -- all tasks before it have an outcome or a mark
    start integer not null default 1,
    start_seq integer not null default 0,
    start_ordinal integer not null default 0,
    held_below integer not null default 0,  -- tasks of the backlog before it are held back
    held integer not null default 0,
    queued integer not null default 0,
    delayed integer not null default 0,
    suspect integer not null default 0,
    running integer not null default 0,
    done integer not null default 0,
    failed integer not null default 0,
    crashed integer not null default 0,
    "timed-out" integer not null default 0,
    cancelled integer not null default 0
  );
  insert into run_4 (epoch, cleared_seq, last_seq, last_ordinal, low, start, start_seq, start_ordinal, held,
      queued, delayed, suspect, running, done, failed, crashed, "timed-out", cancelled)
    select epoch, coalesce((select min(seq) from tasks) - 1, last_seq), last_seq, last_ordinal,
      coalesce((select min(seq) from tasks), last_seq + 1), start, last_seq, last_ordinal, held,
      queued, delayed, suspect, running, done, failed, crashed, "timed-out", cancelled
    from run;
  drop table run;
  alter table run_4 rename to run;
  drop table tasks;
  create unique index by_id on submitted (id) where id is not null;
  create unique index by_seq on outcomes (seq);
  create index ready on marks (start, priority desc) where state = 'queued';
  create index due on marks (start, run_at) where state = 'delayed';
  create index suspects on marks (start) where state = 'suspect';
  create view tasks as            -- each task with its state and its outcome, for whoever looks into the file
    select s.seq, coalesce(s.id, '#' || s.seq) as id, h.name as handler, s.input, s.priority, s.timeout_ms, s.retries,
      coalesce(o.state, m.state, 'queued') as state, coalesce(o.attempts, m.attempts, 0) as attempts,
      coalesce(o.crashes, m.crashes, 0) as crashes, m.run_at, o.ordinal, o.result, o.error, o.started_at,
      o.duration_ms, o.thread, v.hash as version, o.host, coalesce(o.earlier, m.earlier) as earlier
    from submitted s left join handlers h on h.key = s.handler left join outcomes o on o.seq = s.seq
      left join marks m on m.seq = s.seq left join versions v on v.key = o.version;`,
];

/**
 * How many of the steps the file has taken; 0 for an empty one. Changes nothing.
 *
 * @throws HoldfastError `ERR_QUEUE_NEWER_SCHEMA`, or `ERR_QUEUE_CORRUPT` if it is another program's database.
 */
export function schemaVersion(db: Database, steps = MIGRATIONS): number {
  const version = db.pragma('user_version', { simple: true }) as number;
  const objects = db.prepare('select count(*) from sqlite_schema').pluck().get() as number;
  const ours = db.pragma('application_id', { simple: true }) === APPLICATION_ID;
  if (!ours && (version !== 0 || objects !== 0)) {
    throw new HoldfastError('ERR_QUEUE_CORRUPT', `${db.name} is a SQLite database, but not a queue`, {
      hint: 'Choose another state folder or run id: this file belongs to another program.',
    });
  }
  if (version > steps.length) {
    throw new HoldfastError(
      'ERR_QUEUE_NEWER_SCHEMA',
      `${db.name} has schema ${version}; this version of holdfast knows schemas up to ${steps.length}`,
      { hint: 'Update holdfast (npm install holdfast@latest), or choose another run id.' },
    );
  }
  return version;
}

/** Takes the steps that are missing, each with its record in one transaction; a new file takes all in one, and waits for the disk once. */
export function migrate(db: Database, steps = MIGRATIONS): void {
  const takeNext = db.transaction((): boolean => {
    const version = schemaVersion(db, steps);
    const next = version === 0 ? steps : steps.slice(version, version + 1);
    if (next.length === 0) return false;
    for (const step of next) db.exec(step);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${version + next.length}`);
    return true;
  });
  while (takeNext.immediate());
}
