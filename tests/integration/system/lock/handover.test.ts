import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { openLockFile } from '../../../../dist/system/lock/open-file.js';
import type { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { isAlive, lockAt, lockPath, openDescriptors } from '../../../support/lock-place.js';
import { LockProcess } from '../../../support/lock-process.js';
import { waitFor } from '../../../support/wait-for.js';

type OpenFile = ReturnType<typeof openLockFile>;

/** Internal, and so in no type that is published. */
function tryAcquireBy(lock: ProcessLock, file: OpenFile): boolean {
  return (lock as unknown as { tryAcquireBy(opened: OpenFile): boolean }).tryAcquireBy(file);
}

test("a killed parent's lock stays with the child that adopted it, and is free when both are dead", async () => {
  const lock = lockAt(lockPath());
  const parent = await LockProcess.start(lock.path);
  await parent.call('acquire');
  const heir = await parent.call<number>('spawnHeir');
  await waitFor('the child to adopt', () => lock.holder()?.controlSocket === `heir ${heir}`);
  await parent.end('SIGKILL');
  expect(lock.tryAcquire()).toBe(false);
  expect(() => lock.forceUnlock()).toThrow('Another executor is already running');
  process.kill(heir, 'SIGKILL');
  await waitFor('the kernel to free the lock', () => lock.tryAcquire());
});

test("a killed child's lock stays with the parent, and the next child adopts it", async () => {
  const lock = await lockAt(lockPath()).acquire();
  for (let i = 0; i < 2; i++) {
    const child = await LockProcess.start(lock.path, { handOver: lock.fd });
    await child.call('adopt', 4);
    await child.end('SIGKILL');
    expect(lock.held).toBe(true);
    expect(lockAt(lock.path).tryAcquire()).toBe(false);
  }
});

test('a child that got the descriptor before the file was locked shares the lock, and adopts it', async () => {
  const lock = lockAt(lockPath());
  const file = openLockFile(lock.path);
  const child = await LockProcess.start(lock.path, { handOver: file.fd });
  expect(tryAcquireBy(lock, file)).toBe(true);
  expect(lock.fd).toBe(file.fd);
  await child.call('adopt', 4);
  lock.release();
  expect(lockAt(lock.path).isLocked()).toBe(true);
  await child.call('release');
  expect(fs.existsSync(lock.path)).toBe(false);
});

test('a file that was opened, and is not the lock any more, is closed, and another one is taken', () => {
  const lock = lockAt(lockPath());
  const file = openLockFile(lock.path);
  fs.unlinkSync(lock.path);
  const open = openDescriptors();
  expect(tryAcquireBy(lock, file)).toBe(true);
  // One was closed, and one opened: the details are of the file that is there.
  expect(openDescriptors()).toBe(open);
  expect(lock.stillHeld()).toBe(true);
});

test("one that was opened while somebody else has the lock is closed, and its child is in nobody's way", async () => {
  const holder = await lockAt(lockPath()).acquire();
  const before = openDescriptors();
  const lock = lockAt(holder.path);
  const file = openLockFile(holder.path);
  const child = await LockProcess.start(holder.path, { handOver: file.fd });
  expect(tryAcquireBy(lock, file)).toBe(false);
  await expect(child.call('adopt', 4)).rejects.toMatchObject({ code: 'ERR_EXECUTOR_RUNNING' });
  await child.end('SIGKILL');
  await waitFor('all to be closed', () => openDescriptors() <= before);
  holder.release();
  expect(lock.tryAcquire()).toBe(true);
});

test('of two that share the lock, the last one to release frees it and removes the file', async () => {
  for (const parentFirst of [true, false]) {
    const lock = await lockAt(lockPath()).acquire();
    const child = await LockProcess.start(lock.path, { handOver: lock.fd });
    await child.call('adopt', 4);
    const releases = [() => child.call('release'), async () => lock.release()];
    if (parentFirst) releases.reverse();
    await releases[0]!();
    expect(lockAt(lock.path).isLocked()).toBe(true);
    expect(fs.existsSync(lock.path)).toBe(true);
    await releases[1]!();
    expect(lockAt(lock.path).isLocked()).toBe(false);
    expect(fs.existsSync(lock.path)).toBe(false);
  }
});

test('a heir whose parent was killed removes the file when it releases', async () => {
  const lock = lockAt(lockPath());
  const parent = await LockProcess.start(lock.path);
  await parent.call('acquire');
  const heir = await parent.call<number>('spawnHeir');
  await waitFor('the child to adopt', () => lock.holder()?.controlSocket === `heir ${heir}`);
  await parent.end('SIGKILL');
  process.kill(heir, 'SIGTERM');
  await waitFor('the file to be removed', () => !fs.existsSync(lock.path));
});

test('a child that adopted passes the lock on to no child of its own', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const child = await LockProcess.start(lock.path, { handOver: lock.fd });
  await child.call('adopt', 4);
  const grandchild = await child.call<number>('spawnOrdinary');
  await child.end('SIGKILL');
  lock.release();
  expect(isAlive(grandchild)).toBe(true);
  expect(lock.isLocked()).toBe(false);
  process.kill(grandchild, 'SIGKILL');
});

test('adopting keeps the details of the parent, and describing adds to them', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const before = lock.holder();
  const child = await LockProcess.start(lock.path, { handOver: lock.fd });
  await child.call('adopt', 4);
  expect(lock.holder()).toEqual(before);
  await child.call('describe', { controlSocket: '/run/control.sock' });
  expect(lock.holder()).toEqual({ ...before, controlSocket: '/run/control.sock' });
  lock.describe({ controlSocket: '/c' });
  expect(lock.holder()).toEqual({ ...before, controlSocket: '/c' });
  // One line, and nothing is left of the longer one before it.
  const [line, rest] = fs.readFileSync(lock.path, 'utf8').split('\n');
  expect(JSON.parse(line!)).toEqual({ ...before, controlSocket: '/c' });
  expect(rest).toBe('');
});

test('describing a lock whose details were spoilt makes them whole again', async () => {
  const lock = await lockAt(lockPath()).acquire();
  fs.writeFileSync(lock.path, 'scribble');
  lock.describe({ controlSocket: '/c' });
  expect(lock.holder()).toMatchObject({ pid: process.pid, controlSocket: '/c' });
});

test('a descriptor that does not hold the lock cannot be adopted', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const notOurs = expect.objectContaining({ code: 'ERR_LOCK_LOST' });

  // Nothing was handed over.
  expect(() => lockAt(lock.path).adopt(9999)).toThrow(notOurs);

  // Another open file: the lock is held, but not through this one.
  const stranger = fs.openSync(lock.path, 'r+');
  expect(() => lockAt(lock.path).adopt(stranger)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTOR_RUNNING' }));

  // The right file, with nobody holding it.
  lock.release();
  fs.writeFileSync(lock.path, '');
  const unlocked = fs.openSync(lock.path, 'r+');
  expect(() => lockAt(lock.path).adopt(unlocked)).toThrow(notOurs);
  expect(lockAt(lock.path).isLocked()).toBe(false);

  // Another lock's descriptor.
  const other = await lockAt(`${lock.path}.other`).acquire();
  const here = await lockAt(lock.path).acquire();
  expect(() => lockAt(lock.path).adopt(other.fd!)).toThrow(notOurs);
  expect(here.held).toBe(true);
  fs.closeSync(stranger);
  fs.closeSync(unlocked);
});

test('a descriptor whose file was deleted and made anew cannot be adopted', async () => {
  const lock = await lockAt(lockPath()).acquire();
  fs.unlinkSync(lock.path);
  expect(() => lockAt(lock.path).adopt(lock.fd!)).toThrow(expect.objectContaining({ code: 'ERR_LOCK_LOST' }));
});

test('the descriptor is there while the lock is held, and only then', async () => {
  const lock = lockAt(lockPath());
  expect(lock.fd).toBeUndefined();
  await lock.acquire();
  expect(fs.fstatSync(lock.fd!).ino).toBe(fs.statSync(lock.path).ino);
  lock.release();
  expect(lock.fd).toBeUndefined();
});
