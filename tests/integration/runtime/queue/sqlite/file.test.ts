/** The queue's file: who may read it, what version it is, who may write it, and how others read it meanwhile. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { MIGRATIONS, migrate, schemaVersion } from '../../../../../dist/runtime/queue/sqlite/migrations.js';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../../../../dist/runtime/queue/sqlite/reader.js';
import { Statements } from '../../../../../dist/runtime/queue/sqlite/statements.js';
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
  const { reset, insert, version, ...daily } = new Statements(db);
  expect(reset.source).toContain('update'); // scans, once per `--retry-failed`
  for (const { source } of [insert, version]) expect(source).toContain('insert'); // search nothing
  for (const { source } of Object.values(daily)) {
    const parameters = source
      .split('')
      .filter((character) => character === '?')
      .map(() => null);
    const rows = db.prepare(`explain query plan ${source}`).all(...parameters) as { detail: string }[];
    const plan = rows.map((row) => row.detail);
    expect(plan.join('\n'), source).not.toMatch(/SCAN tasks(?! USING)|TEMP B-TREE FOR ORDER/);
    expect(plan.join('\n'), source).toMatch(/USING/);
  }
});

test('only the executor that opened the queue last may write', async () => {
  const path = queuePath();
  const stale = await openSqliteQueue(path);
  await stale.add([aTask({ id: 'a' }), aTask({ id: 'b' })]);
  const [task] = await stale.claim(1, 0);
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
  expect(await queue.recover({ member: queue.predecessor, death: 'unseen' }, 3)).toMatchObject({ interrupted: 1 });
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
