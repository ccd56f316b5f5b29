import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { ExecutorRunningError } from '../../../../dist/system/lock/executor-running-error.js';
import { isHeld } from '../../../../dist/system/lock/kernel-lock.js';
import { lockAt, lockPath } from '../../../support/lock-place.js';
import { LockProcess } from '../../../support/lock-process.js';
import { waitFor } from '../../../support/wait-for.js';

test.each(['release', 'SIGKILL'])('who waits gets the lock after the holder ends by %s', async (way) => {
  const lock = lockAt(lockPath());
  const holder = await LockProcess.start(lock.path);
  await holder.call('acquire');
  const waiting = lock.acquire({ waitMs: 20_000 });
  if (way === 'release') await holder.call('release');
  else await holder.end('SIGKILL');
  expect(await waiting).toBe(lock);
  expect(lock.held).toBe(true);
  expect(lock.holder()?.pid).toBe(process.pid);
});

test('a wait ends at its deadline with the holder named, and the lock stays with it', async () => {
  const lock = lockAt(lockPath());
  const holder = await LockProcess.start(lock.path);
  await holder.call('acquire');
  for (const waitMs of [undefined, 0, 30, Number.NaN]) {
    const refusal = await lock.acquire(waitMs === undefined ? {} : { waitMs }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ExecutorRunningError);
    expect((refusal as ExecutorRunningError).holder?.pid).toBe(holder.pid);
  }
  expect(lock.held).toBe(false);
});

test('what a dead holder has left behind is waited for by everybody, also by who would not wait for a holder', async () => {
  const lock = lockAt(lockPath());
  const holder = await LockProcess.start(lock.path);
  await holder.call('acquire');
  const heir = await holder.call<number>('spawnHeir');
  await waitFor('the child to adopt', () => lock.holder()?.controlSocket === `heir ${heir}`);
  const refused = await lock.acquire().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ExecutorRunningError);
  await holder.end('SIGKILL');
  const waiting = lock.acquire();
  process.kill(heir, 'SIGKILL');
  expect((await waiting).held).toBe(true);
});

test('a stopped holder keeps the lock, however long one waits', async () => {
  const lock = lockAt(lockPath());
  const holder = await LockProcess.start(lock.path);
  await holder.call('acquire');
  holder.signal('SIGSTOP');
  await expect(lock.acquire({ waitMs: 200 })).rejects.toBeInstanceOf(ExecutorRunningError);
  holder.signal('SIGCONT');
  await holder.call('release');
  expect(lock.tryAcquire()).toBe(true);
});

test('a wait that is aborted rejects with the reason given, and takes nothing later', async () => {
  const holder = await lockAt(lockPath()).acquire();
  const lock = lockAt(holder.path);
  const controller = new AbortController();
  const waiting = lock.acquire({ waitMs: Infinity, signal: controller.signal });
  const reason = new Error('enough');
  setImmediate(() => controller.abort(reason));
  await expect(waiting).rejects.toBe(reason);
  holder.release();
  expect(lock.held).toBe(false);
  await expect(lock.acquire({ signal: controller.signal })).rejects.toBe(reason);
  expect(lock.isLocked()).toBe(false);
});

test('a holder that left no details is reported without them', async () => {
  const holder = await lockAt(lockPath()).acquire();
  writeFileSync(holder.path, '');
  const lock = lockAt(holder.path);
  const refusal = await lock.acquire().catch((error: unknown) => error as ExecutorRunningError);
  expect(refusal).toMatchObject({ holder: undefined, message: expect.stringContaining('left no details') });
  expect(() => lock.forceUnlock()).toThrow(expect.objectContaining({ hint: expect.not.stringContaining('kill') }));
});

test('who was stopped in the middle of asking delays an acquirer, and is never taken for a holder', () => {
  const lock = lockAt(lockPath());
  mkdirSync(dirname(lock.path));
  writeFileSync(lock.path, '');
  const asking = openSync(lock.path, 'r');
  // Its shared lock stays, as that of a process stopped at this point would.
  expect(isHeld(asking)).toBe(false);
  expect(lock.isLocked()).toBe(false);
  expect(lock.tryAcquire()).toBe(false);
  closeSync(asking);
  expect(lock.tryAcquire()).toBe(true);
});
