/** Kills, full disks, read-only folders and damaged files: a clear error, and nothing recorded is lost. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { openSqliteQueueReader } from '../../../../../dist/runtime/queue/sqlite/reader.js';
import { queueProcess, WRITER_SCRIPT } from '../../../../support/queue-process.js';
import type { Fact } from '../../../../support/queue-process.js';
import { all, aTask, tasks } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';
import { waitFor } from '../../../../support/wait-for.js';

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

/** All ids that a process was promised to be durable. */
function idsAdded(facts: readonly Fact[]): string[] {
  return facts.flatMap((fact) => fact.added ?? []);
}

function lastFailure(facts: readonly Fact[]): Fact | undefined {
  return facts.findLast((fact) => fact.failed !== undefined);
}

async function filledQueue(path: string, count: number): Promise<void> {
  const queue = await openSqliteQueue(path);
  await queue.add(tasks(count));
  await queue.close();
}

test('after SIGKILL in the midst of writing, all that was promised is there', async () => {
  const path = join(tempDir(), 'queue.db');
  const facts: Fact[] = [];
  for (let round = 1; round <= 5; round += 1) {
    const writer = queueProcess(path, 'work');
    await waitFor('some outcomes', () => writer.facts.filter((fact) => fact.settled).length > round * 7);
    writer.child.kill('SIGKILL');
    await writer.exited;
    facts.push(...writer.facts);
    expect(writer.facts[0]).toEqual({ opened: round });

    expect(existsSync(`${path}-wal`), 'the kill left a log behind').toBe(true);
    const reader = (await openSqliteQueueReader(path))!;
    const outcomes = await all(reader.outcomes());
    const counts = await reader.counts();
    await reader.close();
    const recorded = new Map(outcomes.map(({ ordinal, id, result }) => [ordinal, [ordinal, id, result]]));
    for (const promised of facts.flatMap((fact) => fact.settled ?? [])) {
      expect(recorded.get(promised[0])).toEqual(promised);
    }
    expect(new Set(outcomes.map((outcome) => outcome.id)).size).toBe(outcomes.length);
    expect(outcomes.length).toBe(counts.done);
  }
  const queue = await openSqliteQueue(path);
  onTestFinished(() => queue.close());
  const { interrupted } = await queue.recover({ member: queue.predecessor, death: 'killed' }, 3);
  const counts = await queue.counts();
  expect(counts.running).toBe(0);
  expect(interrupted).toBeLessThanOrEqual(15);
  for (const id of idsAdded(facts)) {
    const [known] = await queue.add([aTask({ id, input: JSON.stringify('x'.repeat(100)) })]);
    expect(known!.status).toBe('duplicate');
  }
  expect(await queue.counts()).toEqual(counts);
});

test('a file that may not grow is an I/O error; what was promised stays, and it goes on once it may', async (context) => {
  if (spawnSync('prlimit', ['--version']).error) context.skip('there is no prlimit here to lift the limit with');
  const path = join(tempDir(), 'queue.db');
  const writer = queueProcess(path, 'fill', 'ulimit -S -f 256;');
  const failure = await waitFor('the limit', () => lastFailure(writer.facts));
  expect(failure).toMatchObject({ failed: 'ERR_QUEUE_IO', message: expect.stringContaining(path) as string });
  expect(failure.hint).toContain('ulimit');
  const promised = idsAdded(writer.facts).length;
  expect(promised).toBeGreaterThan(0);

  const reader = (await openSqliteQueueReader(path))!;
  expect(await reader.counts()).toMatchObject({ queued: promised });
  await reader.close();

  const lifted = spawnSync('prlimit', ['--pid', String(writer.child.pid), '--fsize=unlimited']);
  expect(lifted.status).toBe(0);
  writer.child.stdin!.end('again\n');
  await writer.exited;
  expect(idsAdded(writer.facts)).toHaveLength(promised + 100);
  const queue = await openSqliteQueue(path);
  expect(await queue.counts()).toMatchObject({ queued: promised + 100 });
  await queue.close();
});

test('a full disk is told as such; what was promised stays, and it goes on once there is space', async (context) => {
  const disk = tempDir();
  if (!IS_ROOT) context.skip('only root can mount a small disk');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
  if (mounted.status !== 0) context.skip('this root may not mount a small disk');
  onTestFinished(() => void spawnSync('umount', ['-l', disk]));
  const filler = join(disk, 'filler');
  const path = join(disk, 'queue.db');
  writeFileSync(filler, Buffer.alloc(1 << 20));
  const writer = queueProcess(path, 'fill');
  const failure = await waitFor('the full disk', () => lastFailure(writer.facts));
  expect(failure).toMatchObject({ failed: 'ERR_QUEUE_DISK_FULL', message: expect.stringContaining(path) as string });
  expect(failure.hint).toContain('Free some space');
  const promised = idsAdded(writer.facts).length;
  expect(promised).toBeGreaterThan(0);
  rmSync(filler);
  writer.child.stdin!.end('again\n');
  await writer.exited;
  const queue = await openSqliteQueue(path);
  expect(await queue.counts()).toMatchObject({ queued: promised + 100 });
  await queue.close();

  // However little is left: enough for the file, for its log, but not for the log's shared memory.
  const spare = join(disk, 'spare');
  const ends: unknown[] = [];
  for (const kilobytes of [0, 4, 8, 12, 24]) {
    writeFileSync(spare, Buffer.alloc(kilobytes * 1024));
    expect(spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']).status).not.toBe(0);
    rmSync(spare);
    const opened = openSqliteQueue(path).then((full) => full.close().then(() => 'opened'));
    ends.push(await opened.catch((error: { code: string }) => error.code));
    rmSync(filler);
  }
  expect(ends[0]).toBe('ERR_QUEUE_DISK_FULL');
  expect(ends.filter((end) => end !== 'ERR_QUEUE_DISK_FULL' && end !== 'opened')).toEqual([]);
  const again = await openSqliteQueue(path);
  expect(await again.counts()).toMatchObject({ queued: promised + 100 });
  await again.close();
});

// Permissions do not bind root, so root tries as nobody.
const unprivileged = IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
const seesCheckout = spawnSync('test', ['-r', WRITER_SCRIPT], unprivileged).status === 0;
const readOnly = seesCheckout ? test : test.skip;
const because = seesCheckout ? '' : ' (skipped: root runs this, and nobody else may read the checkout)';

const MODES = { 'a new queue': undefined, 'a queue that may be read': 0o444, 'a queue that may not': 0o000 };

readOnly.each(Object.entries(MODES))(`in a read-only folder, %s is refused${because}`, async (_, mode) => {
  const dir = tempDir();
  const path = join(dir, 'queue.db');
  const refused = {
    failed: 'ERR_QUEUE_READ_ONLY',
    message: expect.stringContaining(path) as string,
    hint: expect.stringContaining('writable') as string,
  };
  if (mode !== undefined) {
    await filledQueue(path, 3);
    chmodSync(path, mode);
  }
  chmodSync(dir, 0o555);
  const writer = queueProcess(path, 'open', '', unprivileged);
  await writer.exited;
  expect(writer.facts).toMatchObject([refused]);
  if (mode === undefined) return;
  const reader = queueProcess(path, 'read', '', unprivileged);
  await reader.exited;
  expect(reader.facts).toMatchObject([mode === 0o444 ? { counts: { queued: 3 } } : refused]);
});

test('a folder that is not there is an I/O error that names it', async () => {
  const path = join(tempDir(), 'missing', 'queue.db');
  await expect(openSqliteQueue(path)).rejects.toMatchObject({
    code: 'ERR_QUEUE_IO',
    message: expect.stringContaining(path) as string,
  });
});

test('a path that holds a folder is an I/O error', async () => {
  await expect(openSqliteQueue(tempDir())).rejects.toMatchObject({ code: 'ERR_QUEUE_IO' });
});

test.each([
  ['random bytes', (path: string): void => writeFileSync(path, Buffer.alloc(20_000, 'no queue '))],
  ['a file cut in the middle', (path: string): void => truncateSync(path, 3 * 4096 + 17)],
])('%s is told to be damaged, and left as it is', async (_, damage) => {
  const path = join(tempDir(), 'queue.db');
  await filledQueue(path, 5000);
  damage(path);
  const bytes = readFileSync(path);
  const damaged = {
    code: 'ERR_QUEUE_CORRUPT',
    message: expect.stringContaining(path) as string,
    hint: expect.stringContaining('aside') as string,
  };
  await expect(openSqliteQueue(path)).rejects.toMatchObject(damaged);
  await expect(openSqliteQueueReader(path)).rejects.toMatchObject(damaged);
  expect(readFileSync(path)).toEqual(bytes);
});

test('damage that only a later call meets is told by that call', async () => {
  const path = join(tempDir(), 'queue.db');
  await filledQueue(path, 5000);
  const bytes = readFileSync(path);
  bytes.fill(0xff, 20 * 4096); // the first pages, which tell what the file is, are whole
  writeFileSync(path, bytes);
  const queue = await openSqliteQueue(path);
  await expect(queue.claim(5000, 0)).rejects.toMatchObject({ code: 'ERR_QUEUE_CORRUPT' });
  expect(await queue.counts()).toMatchObject({ queued: 5000, running: 0 });
  await queue.close();
});

test('a file that another process keeps locked is told to be busy, and works once it is free', async () => {
  const path = join(tempDir(), 'queue.db');
  const queue = await openSqliteQueue(path);
  const other = new Database(path);
  other.exec('begin immediate');
  const calls = await Promise.allSettled([queue.add([aTask()]), queue.claim(1, 0)]);
  for (const call of calls) expect(call).toMatchObject({ reason: { code: 'ERR_QUEUE_BUSY' } });
  expect(await queue.counts()).toMatchObject({ queued: 0 });
  other.exec('rollback');
  other.close();
  await queue.add([aTask()]);
  expect(await queue.counts()).toMatchObject({ queued: 1 });
  await queue.close();
});

test('a value that SQLite cannot take fails its own call only', async () => {
  const queue = await openSqliteQueue(join(tempDir(), 'queue.db'));
  const [first, bad, last] = await Promise.allSettled([
    queue.add([aTask({ id: 'a' })]),
    queue.add([aTask({ id: 'b' }), aTask({ input: Symbol('never') as unknown as string })]),
    queue.add([aTask({ id: 'c' })]),
  ]);
  expect([first.status, bad.status, last.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((await queue.claim(9, 0)).map((task) => task.id)).toEqual(['a', 'c']);
  await queue.close();
});
