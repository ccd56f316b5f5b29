/** The queue's file: who may read it, what version it is, who may write it, and how others read it meanwhile. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { MIGRATIONS, migrate, schemaVersion } from '../../../../../dist/runtime/queue/sqlite/file/migrations.js';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../../../../dist/runtime/queue/sqlite/reader.js';
import { Statements } from '../../../../../dist/runtime/queue/sqlite/rows/statements.js';
import { all, aTask, done, tasks } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';

function queuePath(): string {
  return join(tempDir(), 'queue.db');
}

function openRaw(path: string): Database.Database {
  const db = new Database(path);
  onTestFinished(() => void db.close());
  return db;
}

test('the file and its log are private, whatever the umask', async () => {
  const path = queuePath();
  // Vitest runs tests in processes, not threads, so the umask can be set.
  for (const umask of [0o000, 0o777]) {
    const before = process.umask(umask);
    const queue = await openSqliteQueue(`${path}-${umask}`).finally(() => process.umask(before));
    await queue.add([aTask()]);
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(`${path}-${umask}${suffix}`).mode & 0o777, suffix).toBe(0o600);
    }
    await queue.close();
  }
});

test('a closed queue is one plain file, and reading it leaves nothing beside it', async () => {
  const path = queuePath();
  const queue = await openSqliteQueue(path);
  await queue.add([aTask({ id: 'a' })]);
  const [task] = await queue.claim(1, 0);
  await queue.settle([done(task!)]);
  await queue.close();
  const bytes = readFileSync(path);
  const reader = (await openSqliteQueueReader(path))!;
  expect(await reader.counts()).toMatchObject({ done: 1 });
  expect(await reader.outcome('a')).toMatchObject({ ordinal: 1, state: 'done' });
  await reader.close();
  await reader.close();
  await expect(reader.counts()).rejects.toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
  expect(readdirSync(join(path, '..'))).toEqual(['queue.db']);
  expect(readFileSync(path)).toEqual(bytes);
});

test('a reader follows the executor while it writes, closes and opens again', async () => {
  const path = queuePath();
  const first = await openSqliteQueue(path);
  const reader = (await openSqliteQueueReader(path))!;
  expect(await reader.counts()).toMatchObject({ queued: 0 });
  await first.add(tasks(700));
  const claimed = await first.claim(700, 0);
  await first.settle(claimed.slice(0, 400).map((task) => done(task)));
  expect(await reader.counts()).toMatchObject({ done: 400, running: 300 });
  const seen: number[] = [];
  for await (const { ordinal } of reader.outcomes()) {
    seen.push(ordinal);
    if (ordinal === 1) await first.settle(claimed.slice(400).map((task) => done(task)));
  }
  expect(seen).toEqual(Array.from({ length: 700 }, (_, index) => index + 1));
  await first.close();
  expect(await reader.counts()).toMatchObject({ done: 700 });
  const second = await openSqliteQueue(path);
  await second.add([aTask()]);
  expect(await reader.counts()).toMatchObject({ done: 700, queued: 1 });
  await second.close();
  await reader.close();
});

test('where no queue is, a reader finds none and makes none', async () => {
  const path = queuePath();
  expect(await openSqliteQueueReader(path)).toBeUndefined();
  expect(readdirSync(join(path, '..'))).toEqual([]);
  writeFileSync(path, '');
  expect(await openSqliteQueueReader(path)).toBeUndefined();
  expect(statSync(path).size).toBe(0);
});

test('the file can be read with any SQLite tool', async () => {
  const path = queuePath();
  const queue = await openSqliteQueue(path);
  await queue.add([aTask({ id: 'a', input: '{"n":1}' }), aTask({ id: 'b' })]);
  const [task] = await queue.claim(1, 0);
  await queue.settle([done(task!, { result: '{"m":2}', error: { name: 'E', message: 'oh' } })]);
  const rows = openRaw(path).prepare(
    `select id, handler, state, input ->> 'n' n, result ->> 'm' m, error ->> 'message' message from tasks`,
  );
  expect(rows.all()).toEqual([
    { id: 'a', handler: 'handle', state: 'done', n: 1, m: 2, message: 'oh' },
    { id: 'b', handler: 'handle', state: 'queued', n: null, m: null, message: null },
  ]);
  await queue.close();
});

test('no statement of the daily work scans a million tasks', async () => {
  const path = queuePath();
  await (await openSqliteQueue(path)).close();
  const db = openRaw(path);
  // Once per `--retry-failed`.
  const { retryAll, unnamed, takeBackAll, ...daily } = new Statements(db);
  for (const { source } of [retryAll, unnamed, takeBackAll]) expect(source).toMatch(/outcomes.* where/s);
  const nothing = { state: null, start: null, start_seq: null, start_ordinal: null, seq: null };
  for (const { source } of Object.values(daily)) {
    const named = source.includes('@');
    const parameters = source
      .split('?')
      .slice(1)
      .map(() => null);
    const query = db.prepare(`explain query plan ${source}`);
    const rows = (named ? query.all(nothing) : query.all(...parameters)) as { detail: string }[];
    const plan = rows.map((row) => row.detail).join('\n');
    expect(plan, source).not.toMatch(/SCAN (?!\d+-ROW VALUES|\d+ CONSTANT)|TEMP B-TREE FOR ORDER/);
    if (!/^insert.*values/s.test(source)) expect(plan, source).toMatch(/USING/);
  }
});

test('only the executor that opened the queue last may write', async () => {
  const path = queuePath();
  const stale = await openSqliteQueue(path);
  await stale.add([aTask({ id: 'a' }), aTask({ id: 'b' })]);
  const [task] = await stale.claim(1, 0);
  await stale.check(); // nothing is under way
  const queue = await openSqliteQueue(path);
  expect(queue.member).toBe(stale.member + 1);
  const writes: (() => Promise<unknown>)[] = [
    () => stale.add([aTask()]),
    () => stale.claim(1, 0),
    () => stale.claimSuspect(),
    () => stale.settle([done(task!)]),
    () => stale.cancel('b'),
    () => stale.retry(['failed']),
    () => stale.recover({ member: 0, death: 'crashed' }, 1),
  ];
  for (const write of writes) {
    await expect(write()).rejects.toMatchObject({
      code: 'ERR_STALE_EXECUTOR',
      message: expect.stringContaining(path) as string,
    });
  }
  expect(await stale.counts()).toMatchObject({ queued: 1, running: 1 });
  expect(await queue.recover({ member: queue.predecessor, death: 'unseen' }, 3)).toMatchObject({ interrupted: 0 });
  await stale.close();
  expect((await queue.claim(9, 0)).map(({ id }) => id)).toEqual(['a', 'b']);
  await queue.close();
});

test('calls of one tick share one transaction', async () => {
  const path = queuePath();
  const queue = await openSqliteQueue(path);
  const watcher = openRaw(path);
  const commits = (): unknown => watcher.pragma('data_version', { simple: true });
  const inTransactions = async (calls: () => Promise<unknown>[]): Promise<number> => {
    let count = 0;
    let version = commits();
    const watch = (): void => {
      if (commits() !== version) count += 1;
      version = commits();
    };
    await Promise.all(calls().map((call) => call.then(watch)));
    return count;
  };
  // Each call that resolves looks whether anything was committed since the last one did.
  expect(await inTransactions(() => tasks(50).map((task) => queue.add([task])))).toBe(1);
  expect(await inTransactions(() => [queue.claim(1, 0), queue.add([aTask()]), queue.cancel('#40')])).toBe(1);
  // And a call that finds nothing to do writes nothing.
  expect(await inTransactions(() => [queue.claimSuspect(), queue.cancel('nobody'), queue.retry(['done'])])).toBe(0);
  await queue.close();
});

test('a queue of a newer version is refused, and left as it is', async () => {
  const path = queuePath();
  const queue = await openSqliteQueue(path);
  await queue.add([aTask()]);
  await queue.close();
  const db = openRaw(path);
  db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  db.close();
  const bytes = readFileSync(path);
  const refused = {
    code: 'ERR_QUEUE_NEWER_SCHEMA',
    message: expect.stringContaining(path) as string,
    hint: expect.stringContaining('Update') as string,
  };
  await expect(openSqliteQueue(path)).rejects.toMatchObject(refused);
  await expect(openSqliteQueueReader(path)).rejects.toMatchObject(refused);
  expect(readFileSync(path)).toEqual(bytes);
  expect(readdirSync(join(path, '..'))).toEqual(['queue.db']);
});

test('a database of another program is refused, and left as it is', async () => {
  const path = queuePath();
  const db = openRaw(path);
  db.exec('create table accounts (id)');
  db.close();
  const bytes = readFileSync(path);
  await expect(openSqliteQueue(path)).rejects.toMatchObject({ code: 'ERR_QUEUE_CORRUPT' });
  await expect(openSqliteQueueReader(path)).rejects.toMatchObject({ code: 'ERR_QUEUE_CORRUPT' });
  expect(readFileSync(path)).toEqual(bytes);
});

test('migrations take up where the file stands, and each is whole or not at all', () => {
  const db = openRaw(queuePath());
  const steps = ['create table one (a); insert into one values (1)', 'alter table one add column b'];
  migrate(db, steps.slice(0, 1));
  expect(schemaVersion(db, steps)).toBe(1);
  expect(() => migrate(db, [...steps, 'create table two (a); insert into nowhere values (1)'])).toThrow(/nowhere/);
  expect(schemaVersion(db, steps)).toBe(2);
  expect(db.prepare('select * from one').all()).toEqual([{ a: 1, b: null }]);
  expect(db.prepare(`select count(*) n from sqlite_schema where name = 'two'`).get()).toEqual({ n: 0 });
  migrate(db, steps);
  expect(schemaVersion(db, steps)).toBe(2);
});

test('a file of the first schema can be read as it is, and is taken over with all that it holds', async () => {
  const path = queuePath();
  const db = openRaw(path);
  migrate(db, MIGRATIONS.slice(0, 1));
  db.exec(`
    insert into tasks (seq, id, handler, input, priority, state) values
      (1, 'done', 'handle', '1', 0, 'done'), (2, 'left', 'handle', '1', 0, 'queued'),
      (3, 'later', 'handle', '1', 0, 'delayed'), (4, 'alone', 'handle', '1', 0, 'suspect');
    update tasks set ordinal = 1, result = '2', attempts = 1, duration_ms = 1 where seq = 1;
    update tasks set run_at = 5 where seq = 3;
    update run set epoch = 7, last_seq = 4, last_ordinal = 1, done = 1, queued = 1, delayed = 1, suspect = 1;
  `);
  db.close();
  const bytes = readFileSync(path);
  const reader = (await openSqliteQueueReader(path))!;
  const outcome = { ordinal: 1, id: 'done', handler: 'handle', state: 'done', attempts: 1, crashes: 0, result: '2' };
  const place = { startedAt: null, durationMs: 1, thread: null };
  expect(await all(reader.outcomes())).toEqual([{ ...outcome, ...place }]);
  expect(await reader.outcome('done', { withInput: true })).toEqual({ ...outcome, ...place, input: '1' });
  expect(await reader.identity()).toBeUndefined();
  expect(await reader.outcomesOfOtherVersions('v1')).toBe(0);
  expect(await reader.counts()).toMatchObject({ done: 1, queued: 2, delayed: 1 });
  await reader.close();
  expect(readFileSync(path)).toEqual(bytes);

  const queue = await openSqliteQueue(path);
  expect(queue.member).toBe(8);
  expect(await queue.identity()).toBeUndefined();
  expect(await all(queue.outcomes())).toEqual([{ ...outcome, ...place }]);
  expect(await queue.suspects()).toBe(1);
  expect(await queue.nextDue()).toBe(5);
  expect(await queue.hold()).toBe(4);
  expect((await queue.held(9)).count).toBe(3);
  await queue.add([aTask({ id: 'left' })]);
  expect((await queue.claim(9, 9)).map((task) => task.id)).toEqual(['left']);
  await queue.close();
});

test('a file with outcomes in the rows of their tasks is taken over as it stands', async () => {
  const path = queuePath();
  const db = openRaw(path);
  migrate(db, MIGRATIONS.slice(0, 3));
  db.exec(`
    insert into versions values (1, 'aaaaaaaaaaaa');
    insert into tasks (seq, id, handler, input, priority, state, start, claim, ordinal, attempts, duration_ms, version) values
      (11, 'done', 'one', '1', 0, 'done', 2, 1, 5, 1, 0.5, 1), (12, 'failed', 'two', '1', 0, 'failed', 2, 1, 3, 2, 1, null);
    insert into tasks (seq, id, handler, input, priority, state, start, claim, alone) values
      (13, null, 'one', x'ff01', 0, 'queued', 2, null, 0), (14, 'held', 'one', '1', 0, 'queued', 1, null, 0),
      (15, 'first', 'one', '1', 7, 'queued', 2, null, 0), (16, 'runs', 'one', '1', 0, 'running', 2, 9, 1);
    update tasks set earlier = '[{"attempt":1}]', error = '{"name":"E","message":"oh"}' where seq = 12;
    update run set epoch = 3, last_seq = 16, last_ordinal = 5, start = 2, held = 1, claims = 9,
      queued = 3, running = 1, done = 1, failed = 1;
  `);
  db.close();
  const reader = (await openSqliteQueueReader(path))!;
  const before = await all(reader.outcomes({ withInput: true }));
  expect(before).toMatchObject([
    { ordinal: 3, id: 'failed', handler: 'two', attempts: 2, earlierAttempts: [{ attempt: 1 }], error: { name: 'E' } },
    { ordinal: 5, id: 'done', handler: 'one', version: 'aaaaaaaaaaaa', input: '1' },
  ]);
  const counts = await reader.counts();
  await reader.close();

  const queue = await openSqliteQueue(path);
  expect(await queue.audit('all')).toEqual([]);
  expect(await queue.counts()).toEqual(counts);
  expect(await all(queue.outcomes({ withInput: true }))).toEqual(before);
  expect(await queue.outcomesOfOtherVersions('bbbbbbbbbbbb')).toBe(1);
  expect(await queue.held(9)).toMatchObject({ count: 1, some: [{ id: 'held' }] });
  expect(await queue.recover({ member: 3, death: 'killed' }, 3)).toMatchObject({ interrupted: 1, suspects: 1 });
  const claimed = await queue.claim(9, 0);
  expect(claimed).toMatchObject([
    { id: 'first', priority: 7 },
    { seq: 13, input: new Uint8Array([255, 1]) },
  ]);
  expect(await queue.claimSuspect()).toMatchObject({ id: 'runs', crashes: 1 });
  expect(await queue.retry(['failed'])).toBe(1);
  expect((await queue.add([aTask({ id: 'new' })]))[0]).toMatchObject({ seq: 17, status: 'added' });
  await queue.close();
});

test('a copy of the file is a queue of its own', async () => {
  const path = queuePath();
  const queue = await openSqliteQueue(path);
  await queue.add([aTask({ id: 'a' })]);
  await queue.close();
  mkdirSync(`${path}.copy`);
  const copy = join(`${path}.copy`, 'queue.db');
  copyFileSync(path, copy);
  const other = await openSqliteQueue(copy);
  expect(other.member).toBe(2);
  expect((await other.claim(9, 0)).map((task) => task.id)).toEqual(['a']);
  await other.close();
  const reader = (await openSqliteQueueReader(path))!;
  expect(await reader.counts()).toMatchObject({ queued: 1 });
  expect(await all(reader.outcomes())).toEqual([]);
  await reader.close();
});
