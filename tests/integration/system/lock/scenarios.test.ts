import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { BOOT_ID } from '../../../../dist/system/lock/holder.js';
import { ExecutorRunningError } from '../../../../dist/system/lock/executor-running-error.js';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { isAlive, lockAt, lockPath } from '../../../support/lock-place.js';
import { LockProcess } from '../../../support/lock-process.js';
import { tempDir } from '../../../support/temp-dir.js';

test('a free lock is acquired, its file and folder private', async () => {
  const lock = lockAt(lockPath());
  expect(lock.tryAcquire()).toBe(true);
  expect(lock.held).toBe(true);
  expect(statSync(lock.path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(lock.path)).mode & 0o777).toBe(0o700);
});

test('acquiring twice fails, from another process and from this one', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const other = await LockProcess.start(lock.path);
  expect(await other.call('tryAcquire')).toBe(false);
  await expect(other.call('acquire')).rejects.toMatchObject({ code: 'ERR_EXECUTOR_RUNNING' });
  expect(lockAt(lock.path).tryAcquire()).toBe(false);
});

test('releasing lets another process acquire', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const other = await LockProcess.start(lock.path);
  lock.release();
  expect(await other.call('tryAcquire')).toBe(true);
  expect(lock.tryAcquire()).toBe(false);
  await other.call('release');
  expect(lock.tryAcquire()).toBe(true);
});

test('leaving the scope of `using` releases, with `await` and without', async () => {
  const path = lockPath();
  {
    using lock = await new ProcessLock({ path, runId: 'run-1' }).acquire();
    expect(lock.isLocked()).toBe(true);
  }
  expect(lockAt(path).isLocked()).toBe(false);
  const failing = async () => {
    await using lock = await new ProcessLock({ path, runId: 'run-1' }).acquire();
    expect(lock.isLocked()).toBe(true);
    throw new Error('inside');
  };
  await expect(failing()).rejects.toThrow('inside');
  expect(lockAt(path).isLocked()).toBe(false);
});

test('a scope with `using` is not entered while the lock is held', async () => {
  const lock = await lockAt(lockPath()).acquire();
  let entered = false;
  const scope = async () => {
    await using _ = await new ProcessLock({ path: lock.path, runId: 'run-1' }).acquire();
    entered = true;
  };
  await expect(scope()).rejects.toBeInstanceOf(ExecutorRunningError);
  expect(entered).toBe(false);
  expect(lock.isLocked()).toBe(true);
});

test('locks of different runs are independent', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const neighbour = lockAt(lock.path.replace('run-1', 'run-2'), 'run-2');
  expect(neighbour.tryAcquire()).toBe(true);
  lock.release();
  expect(neighbour.isLocked()).toBe(true);
});

test('releasing removes the lock file', async () => {
  const lock = await lockAt(lockPath()).acquire();
  expect(existsSync(lock.path)).toBe(true);
  lock.release();
  expect(existsSync(lock.path)).toBe(false);
});

test('isLocked follows the kernel: before, while held, after, and after a crash', async () => {
  const path = lockPath();
  const other = await LockProcess.start(path);
  const here = lockAt(path);
  expect(here.isLocked()).toBe(false);
  await other.call('acquire');
  expect(here.isLocked()).toBe(true);
  expect(await other.call('isLocked')).toBe(true);
  await other.call('release');
  expect(here.isLocked()).toBe(false);
  await other.call('acquire');
  await other.end('SIGKILL');
  expect(existsSync(path)).toBe(true);
  expect(here.isLocked()).toBe(false);
});

test('forceUnlock removes what a dead holder left behind, and says when there was nothing', async () => {
  const path = lockPath();
  const other = await LockProcess.start(path);
  const here = lockAt(path);
  expect(here.forceUnlock()).toBe(false);
  await other.call('acquire');
  await other.end('SIGKILL');
  expect(here.forceUnlock()).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(here.forceUnlock()).toBe(false);
});

test('the lock file tells who holds it', async () => {
  const path = lockPath();
  const cwd = tempDir();
  const other = await LockProcess.start(path, { cwd });
  const before = Date.now();
  await other.call('acquire');
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  expect(holder).toEqual({
    schema: 1,
    runId: 'run-1',
    executorId: `${other.pid}@${hostname()}`,
    pid: other.pid,
    hostname: hostname(),
    cwd,
    startedAt: expect.any(String),
    ...(BOOT_ID !== undefined && { bootId: BOOT_ID }),
  });
  expect(Date.parse(holder.startedAt)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(holder.startedAt)).toBeLessThanOrEqual(Date.now());
  expect(lockAt(path).holder()).toEqual(holder);
});

test('a child started in the ordinary way does not inherit the lock', async () => {
  const path = lockPath();
  const holder = await LockProcess.start(path);
  await holder.call('acquire');
  const child = await holder.call<number>('spawnOrdinary');
  await holder.end('SIGKILL');
  expect(isAlive(child)).toBe(true);
  expect(lockAt(path).tryAcquire()).toBe(true);
  process.kill(child, 'SIGKILL');
});

test('a duplicate executor is told who runs, where, since when, and by which file', async () => {
  const path = lockPath();
  const cwd = tempDir();
  const [first, second] = await Promise.all([LockProcess.start(path, { cwd }), LockProcess.start(path)]);
  await first.call('acquire');
  const { startedAt } = JSON.parse(readFileSync(path, 'utf8'));
  await expect(second.call('acquire')).rejects.toEqual({
    name: 'ExecutorRunningError',
    code: 'ERR_EXECUTOR_RUNNING',
    message:
      'Another executor is already running: run "run-1" is held by ' +
      `${first.pid}@${hostname()} in ${cwd} since ${startedAt} (lock: ${path})`,
    hint: expect.stringContaining('runtime status run-1'),
  });
});

test.each(['SIGKILL', 'SIGTERM', 'exit', 'throw', 'abort'])(
  'after an end by %s the lock is free and the details are still readable',
  async (way) => {
    const path = lockPath();
    const other = await LockProcess.start(path);
    await other.call('acquire');
    if (way.startsWith('SIG')) other.signal(way as NodeJS.Signals);
    else void other.call(way);
    await other.ended();
    const here = lockAt(path);
    expect(here.isLocked()).toBe(false);
    expect(here.holder()).toMatchObject({ pid: other.pid, runId: 'run-1' });
    expect(here.tryAcquire()).toBe(true);
    expect(here.holder()).toMatchObject({ pid: process.pid });
  },
);
