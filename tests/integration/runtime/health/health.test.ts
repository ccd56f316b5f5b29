import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ExecutorStatus } from '../../../../dist/index.js';
import { openSqliteQueue } from '../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import { readHealth } from '../../../../dist/runtime/health/snapshot.js';
import { place, started } from '../../../support/command.js';
import { endOf, running, startedExecutor } from '../../../support/executors.js';
import { program } from '../../../support/program.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

/** Where the executors of `startedExecutor` put their snapshots. */
const fileIn = (dir: string) => join(dir, 'runs', 'run-1', 'health.json');

/** What a folder's snapshot says; it must be whole. */
function seen(dir: string) {
  const { snapshot, problems } = readHealth(fileIn(dir));
  expect(problems).toEqual([]);
  return snapshot;
}

const firstSnapshot = (dir: string) => waitFor('a snapshot', () => existsSync(fileIn(dir)));

describe('the snapshot of an executor', () => {
  test('is there from its first beat on, for this user alone, and tells all of it', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true });
    await firstSnapshot(dir);
    expect(statSync(fileIn(dir)).mode & 0o777).toBe(0o600);
    const first = seen(dir);
    expect(first).toMatchObject({
      sequence: 1,
      runId: 'run-1',
      pid: process.pid,
      state: 'running',
      lastBeat: { count: 1 },
      missedBeats: 0,
      lastError: null,
      activity: { paused: false, draining: false, note: 'nothing to do' },
    });
    expect(first.startedAt! <= first.updatedAt! && first.updatedAt! <= Date.now()).toBe(true);
    await executor.submit('echo', 1);
    await endOf(executor.submit('fail', 'no'));
    await waitFor('the next beat', () => seen(dir).lastBeat!.count > 1);
    expect(seen(dir)).toMatchObject({
      counts: { done: 1, failed: 1 },
      lastError: { source: 'task', message: 'no' },
    });
    const tasksDone = seen(dir).threads.reduce((sum, thread) => sum + thread.tasksDone, 0);
    expect(tasksDone).toBe(2);
  });

  test('follows each change of state, without waiting for a beat', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true, threads: 1 });
    await firstSnapshot(dir);
    const file = join(tempDir(), 'go');
    const task = executor.submit('untilFile', file, { id: 'a' });
    await running(executor, 'a');
    executor.pause();
    await waitFor('paused', () => seen(dir).state === 'paused');
    expect(seen(dir)).toMatchObject({
      threads: [{ number: 1, state: 'busy', running: 1 }],
      activity: { paused: true, draining: false, note: 'paused, 1 running task left, 0 waiting' },
    });
    executor.resume();
    await waitFor('running', () => seen(dir).state === 'running');
    const drained = executor.drain();
    await waitFor('draining', () => seen(dir).activity.draining);
    const stopped = executor.stop();
    await waitFor('stopping', () => seen(dir).state === 'stopping');
    expect(seen(dir).activity.note).toBe('waiting for 1 running task');
    writeFileSync(file, '');
    await Promise.all([task, drained, stopped]);
    expect(seen(dir)).toMatchObject({ state: 'stopped', counts: { done: 1 }, activity: { note: 'stopped' } });
  });

  test('goes on with its number in the next executor of the run', async () => {
    const dir = tempDir();
    const first = await startedExecutor({ dir, durable: true });
    await first.submit('echo', 1);
    await first.stop();
    const { sequence } = seen(dir);
    expect(sequence).toBeGreaterThan(0);
    await startedExecutor({ dir, durable: true });
    await waitFor('its snapshot', () => seen(dir).state === 'running');
    expect(seen(dir).sequence).toBe(sequence + 1);
  });

  test('is not left behind by a queue in memory, nor by a run that nobody gave a task', async () => {
    for (const durable of [true, false]) {
      const dir = tempDir();
      const executor = await startedExecutor({ dir, durable });
      await firstSnapshot(dir);
      await executor.stop();
      expect(readdirSync(join(dir, 'runs'))).toEqual([]);
    }
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: false });
    await executor.submit('echo', 1);
    await firstSnapshot(dir);
    await executor.stop();
    expect(readdirSync(join(dir, 'runs'))).toEqual([]);
  });

  test('is kept beside what an earlier executor recorded, and taken away by a queue in memory', async () => {
    const dir = tempDir();
    const durable = await startedExecutor({ dir, durable: true });
    await durable.submit('echo', 1);
    await durable.stop();
    expect(seen(dir).state).toBe('stopped');
    const inMemory = await startedExecutor({ dir, durable: false });
    await waitFor('its snapshot', () => seen(dir).state === 'running');
    await inMemory.stop();
    expect(readdirSync(join(dir, 'runs', 'run-1'))).toEqual(['queue.db']);
  });

  test('that cannot be written, as its folder is gone, is warned of once, and no task is harmed', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: false });
    const warned: string[] = [];
    let beats = 0;
    executor.on('warning', ({ message }) => warned.push(message));
    executor.on('beat', () => beats++);
    await firstSnapshot(dir);
    rmSync(join(dir, 'runs', 'run-1'), { recursive: true });
    await waitFor('three beats', () => beats >= 3);
    expect(warned).toEqual([expect.stringMatching(/^health cannot be written: ENOENT/)]);
    expect((await executor.status()).health).toMatchObject({ healthy: true, lastError: { source: 'executor' } });
    expect(await executor.submit('echo', 1)).toBe(1);
    await executor.stop();
  });

  test('of an executor that failed says so, and why', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true });
    await executor.submit('echo', 1);
    await firstSnapshot(dir);
    const failed = new Promise((resolve) => executor.once('failed', resolve));
    // Somebody else opens the queue to write: the next write of this one is refused.
    await (await openSqliteQueue(join(dir, 'runs', 'run-1', 'queue.db'))).close();
    void endOf(executor.submit('echo', 2));
    await failed;
    await waitFor('its snapshot', () => seen(dir).state === 'failed');
    expect(seen(dir).lastError).toMatchObject({ source: 'executor', code: 'ERR_STALE_EXECUTOR' });
    expect(executor.probe().live.ok).toBe(false);
  });

  test('of an executor whose lock is lost is not written any more: another one may be writing', async () => {
    const dir = tempDir();
    const executor = await startedExecutor({ dir, durable: true });
    let beats = 0;
    executor.on('beat', () => beats++);
    await executor.submit('echo', 1);
    await firstSnapshot(dir);
    const failed = new Promise((resolve) => executor.once('failed', resolve));
    rmSync(join(dir, 'locks', 'run-1.lock'));
    await failed;
    writeFileSync(fileIn(dir), 'of another');
    const had = beats;
    await waitFor('a beat', () => beats > had + 1);
    await executor.stop();
    expect(readFileSync(fileIn(dir), 'utf8')).toBe('of another');
  });

  test('that says it runs means nothing once the process was killed: the lock tells', async () => {
    const dir = tempDir();
    const killed = await program(
      `const executor = await open({});
       setInterval(() => {}, 1000);
       await executor.submit('echo', 1);
       await new Promise((resolve) => executor.on('beat', ({ count }) => count > 2 && resolve()));
       process.kill(process.pid, 'SIGKILL');`,
      { dir },
    );
    expect(killed.signal).toBe('SIGKILL');
    expect(seen(dir)).toMatchObject({ state: 'running', counts: { done: 1 } });
    const { runtime } = place();
    const { stdout } = await runtime(['status', 'run-1', '--dir', dir]);
    expect(stdout).toMatch(/^state +idle$/m);
    expect(stdout).toMatch(/^last seen +.* ago, and it died since: nothing to do$/m);
    const live = await runtime(['status', 'run-1', '--dir', dir, '--probe', 'live']);
    expect([live.exitCode, live.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^runtime: run-1 is not live: no executor holds its lock; the last one was running .* ago\n$/,
      ),
    ]);
  });
});

describe('status', () => {
  test('tells of the heartbeat, of what the run is at, and of the last error, also as a document', async () => {
    const { runtime, start, until, status } = place();
    void start(['run', 'work.mjs', '--tasks', '-'], { input: tasks('flaky', 'gate', 'gate', 'gate') });
    await until('work', (status) => started(status) >= 2 && status.counts['failed'] === 1);
    const { stdout } = await runtime(['status', 'work']);
    expect(stdout).toMatch(/^activity +running [23] tasks, [01] waiting$/m);
    expect(stdout).toMatch(/^heartbeat +\d.* ago$/m);
    expect(stdout).toMatch(/^last error +.* ago, task: not yet$/m);
    const document = (await status('work')) as unknown as Record<string, Record<string, unknown>>;
    expect(document['executor']!['health']).toMatchObject({ healthy: true, why: null, lastError: { source: 'task' } });
    expect(document['lastSeen']).toBeNull();
  });

  test('tells that beats are missed, how many, and why, of one run and of all', async () => {
    const here = place();
    const fixture = fileURLToPath(new URL('../../../fixtures/left-behind.mjs', import.meta.url));
    const run = here.start(['run', fixture, '--lines', '--run-id', 'work', '--handler', 'blockUntil']);
    // More may come, so the run goes on with nothing to do.
    run.stdin.write(`${join(here.dir, 'turn')}\n`);
    await here.until(
      'work',
      ({ executor }) => ((executor as unknown as ExecutorStatus | null)?.health.missedBeats ?? 0) > 0,
    );
    expect((await here.runtime(['status', 'work'])).stdout).toMatch(
      /^heartbeat +.* ago, \d+ missed since the start: thread [12] is idle and does not answer/m,
    );
    expect((await here.runtime(['status'])).stdout).toMatch(
      /^work +running +.* \(thread [12] is idle and does not answer\)$/m,
    );
    here.write('turn', '');
  });

  test('of a run that has ended tells what it last said; of a damaged snapshot, what cannot be read', async () => {
    const { dir, runtime, status } = place();
    await runtime(['run', 'work.mjs', '--tasks', '-'], { input: tasks('flaky') });
    const { stdout } = await runtime(['status', 'work']);
    expect(stdout).toMatch(/^last seen +.* ago: stopped$/m);
    expect(stdout).toMatch(/^last error +.* ago, task: not yet$/m);
    const file = join(dir, '.runtime', 'runs', 'work', 'health.json');
    writeFileSync(
      file,
      JSON.stringify({ schema: 1, updatedAt: Date.now(), state: 'running', activity: { note: '\u001b[2J' } }),
    );
    const damaged = await runtime(['status', 'work']);
    expect(damaged.stdout).toMatch(/^last seen +\d.*, and it died since: \\u001b\[2J$/m);
    expect(damaged.stdout).toMatch(/^health +health.json: counts: is missing$/m);
    rmSync(file);
    expect((await runtime(['status', 'work'])).stdout).toMatch(/^health +health.json: there is no health.json$/m);
    const document = (await status('work')) as unknown as { lastSeen: { problems: string[] } };
    expect(document.lastSeen.problems).toEqual(['there is no health.json']);
  });
});

function tasks(...handlers: string[]): string {
  return handlers.map((handler, input) => `${JSON.stringify({ handler, input })}\n`).join('');
}
