/**
 * The queue's schema, as the steps that lead to it. `PRAGMA user_version`
 * counts the steps taken, and `PRAGMA application_id` tells that the file is a
 * queue at all.
 */
import type { Database } from 'better-sqlite3';
import { HoldfastError } from '../../../base/errors.js';

/** "hold" in ASCII. */
const APPLICATION_ID = 0x686f6c64;

/**
 * Never change a step that was published: add one.
 *
 * States and handlers are text, so that any SQLite tool can read the file;
 * that costs 6% of the write path against integers. `by_ordinal` costs it 8%,
 * and without it each page of outcomes would scan the whole table. An outcome
 * in a table of its own was no faster (a row more to write) than in its task.
 *
 * `run` holds one row. It counts the tasks of each state, so that nobody ever
 * has to count a million rows.
 *
 * A task is held back where its `start` is not that of the run: so a start
 * holds back a million of them by one write. `run.held` counts those that wait.
 * The text of a module is a key of one byte in a task, its hash in `versions`.
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

/** Takes the steps that are missing, each with its record in one transaction. */
export function migrate(db: Database, steps = MIGRATIONS): void {
  const takeNext = db.transaction((): boolean => {
    const version = schemaVersion(db, steps);
    const step = steps[version];
    if (step === undefined) return false;
    db.exec(step);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${version + 1}`);
    return true;
  });
  while (takeNext.immediate());
}
