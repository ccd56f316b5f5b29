import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ExecutorRunningError } from '../../../../dist/system/lock/executor-running-error.js';
import { lockAt, lockPath, openDescriptors } from '../../../support/lock-place.js';
import { LockProcess } from '../../../support/lock-process.js';

test("a loser never touches the holder's details", async () => {
  const lock = await lockAt(lockPath()).acquire();
  const before = fs.readFileSync(lock.path, 'utf8');
  const inode = fs.statSync(lock.path).ino;
  const loser = await LockProcess.start(lock.path);
  await expect(loser.call('acquire', { waitMs: 50 })).rejects.toMatchObject({ code: 'ERR_EXECUTOR_RUNNING' });
  await expect(loser.call('forceUnlock')).rejects.toMatchObject({ code: 'ERR_EXECUTOR_RUNNING' });
  await loser.call('release');
  await expect(loser.call('describe', { controlSocket: '/x' })).rejects.toMatchObject({
    code: 'ERR_LOCK_LOST',
  });
  await loser.end();
  expect(fs.readFileSync(lock.path, 'utf8')).toBe(before);
  expect(fs.statSync(lock.path).ino).toBe(inode);
});

test('a held lock is refused at once, without a pause', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const wait = vi.spyOn(Atomics, 'wait');
  onTestFinished(() => wait.mockRestore());
  expect(lockAt(lock.path).tryAcquire()).toBe(false);
  expect(() => lockAt(lock.path).forceUnlock()).toThrow(ExecutorRunningError);
  expect(wait).not.toHaveBeenCalled();
});

test('forceUnlock refuses while the holder lives, even stopped, and says how to end it', async () => {
  const path = lockPath();
  const holder = await LockProcess.start(path);
  await holder.call('acquire');
  holder.signal('SIGSTOP');
  const here = lockAt(path);
  const refusal = (() => {
    try {
      return here.forceUnlock();
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(ExecutorRunningError);
  expect(refusal).toMatchObject({ runId: 'run-1', path, holder: { pid: holder.pid } });
  expect((refusal as ExecutorRunningError).hint).toContain(`kill ${holder.pid}`);
  expect((refusal as ExecutorRunningError).hint).toContain('runtime drain run-1');
  expect(here.tryAcquire()).toBe(false);
  expect(fs.existsSync(path)).toBe(true);
});

test('releasing a lock whose file was replaced leaves the new one and its holder alone', async () => {
  const lock = await lockAt(lockPath()).acquire();
  fs.unlinkSync(lock.path);
  const other = await LockProcess.start(lock.path);
  expect(await other.call('tryAcquire')).toBe(true);
  lock.release();
  expect(lock.isLocked()).toBe(true);
  expect(lock.holder()?.pid).toBe(other.pid);
  expect(lock.tryAcquire()).toBe(false);
});

test('releasing a lock whose file was replaced keeps what a dead holder left there', async () => {
  const lock = await lockAt(lockPath()).acquire();
  fs.unlinkSync(lock.path);
  fs.writeFileSync(lock.path, 'left by somebody');
  lock.release();
  expect(fs.readFileSync(lock.path, 'utf8')).toBe('left by somebody');
});

test('a second acquire on one object is refused, names this process, leaks no descriptor', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const before = openDescriptors();
  for (let i = 0; i < 20; i++) expect(lock.tryAcquire()).toBe(false);
  await expect(lock.acquire()).rejects.toThrow(/Another executor is already running.*this very process/);
  // It would never end, were it to wait for itself.
  await expect(lock.acquire({ waitMs: Infinity })).rejects.toThrow('this very process');
  expect(() => lock.adopt(0)).toThrow('this very process');
  expect(openDescriptors()).toBe(before);
});

test('of two waits on the same object one gets the lock, the other hears of this very process', async () => {
  const holder = await lockAt(lockPath()).acquire();
  const lock = lockAt(holder.path);
  const waits = [lock.acquire({ waitMs: 20_000 }), lock.acquire({ waitMs: 20_000 })];
  holder.release();
  const ends = await Promise.allSettled(waits);
  expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(lock.held).toBe(true);
});

test('no way through acquire, refusal, asking and release leaks a descriptor', async () => {
  const lock = lockAt(lockPath());
  const rival = lockAt(lock.path);
  const before = openDescriptors();
  for (let i = 0; i < 10; i++) {
    await lock.acquire();
    expect(rival.tryAcquire()).toBe(false);
    expect(rival.isLocked()).toBe(true);
    expect(rival.holder()?.pid).toBe(process.pid);
    expect(() => rival.forceUnlock()).toThrow(ExecutorRunningError);
    expect(() => rival.adopt(0)).toThrow();
    lock.release();
    fs.symlinkSync('/nowhere', lock.path);
    expect(() => lock.tryAcquire()).toThrow();
    fs.unlinkSync(lock.path);
    fs.writeFileSync(lock.path, '');
    fs.linkSync(lock.path, `${lock.path}.2`);
    expect(() => lock.tryAcquire()).toThrow();
    fs.unlinkSync(`${lock.path}.2`);
    expect(rival.forceUnlock()).toBe(true);
  }
  expect(openDescriptors()).toBe(before);
});

test('releasing is safe when not held, and twice', async () => {
  const lock = lockAt(lockPath());
  lock.release();
  await lock.acquire();
  lock.release();
  const other = lockAt(lock.path);
  await other.acquire();
  lock.release();
  expect(other.isLocked()).toBe(true);
});

test('what is held can be read by everyone who may read the file', async () => {
  const lock = await lockAt(lockPath()).acquire();
  const text = execFileSync(process.execPath, [
    '-e',
    'process.stdout.write(fs.readFileSync(process.argv[1]))',
    lock.path,
  ]);
  expect(JSON.parse(text.toString())).toMatchObject({ pid: process.pid });
});

test.each([
  ['a symbolic link', (path: string) => fs.symlinkSync('victim', path)],
  ['a symbolic link', (path: string) => fs.symlinkSync('nowhere', path)],
  ['a folder', (path: string) => fs.mkdirSync(path)],
  ['a hard link to another file', (path: string) => fs.linkSync(join(dirname(path), 'victim'), path)],
  ['no plain file', (path: string) => void execFileSync('mkfifo', [path])],
])('%s in the place of the lock is refused, never followed, never removed', (kind, put) => {
  const lock = lockAt(lockPath());
  const victim = join(dirname(lock.path), 'victim');
  fs.mkdirSync(dirname(lock.path));
  fs.writeFileSync(victim, 'precious');
  put(lock.path);
  for (const use of [() => lock.tryAcquire(), () => lock.forceUnlock(), () => lock.isLocked(), () => lock.holder()]) {
    expect(use).toThrow(expect.objectContaining({ code: 'ERR_LOCK_PATH', message: expect.stringContaining(kind) }));
  }
  expect(fs.readFileSync(victim, 'utf8')).toBe('precious');
  expect(fs.readdirSync(dirname(lock.path)).sort()).toEqual(['run-1.lock', 'victim']);
});

test('an error of the system is told as itself, not as "already running"', async () => {
  const path = lockPath();
  fs.mkdirSync(dirname(path), { mode: 0o000 });
  const other = await LockProcess.start(path);
  await other.call('becomeNobody');
  const refusal = {
    code: 'ERR_STATE_DIR',
    cause: 'EACCES',
    message: expect.stringContaining('permission denied'),
  };
  await expect(other.call('tryAcquire')).rejects.toMatchObject(refusal);
  await expect(other.call('acquire', { waitMs: 10_000 })).rejects.toMatchObject(refusal);
  await expect(other.call('isLocked')).rejects.toMatchObject(refusal);
  fs.chmodSync(dirname(path), 0o700);
});

test('a file in the place of the folder is told as such', () => {
  const path = lockPath();
  fs.writeFileSync(dirname(path), '');
  expect(() => lockAt(path).tryAcquire()).toThrow(
    expect.objectContaining({ code: 'ERR_STATE_DIR', message: expect.stringContaining('ENOTDIR') }),
  );
});

// The start of a program for `node -e`, with a lock on the path in its first argument.
const WITH_LOCK = `
  import { ProcessLock } from '${new URL('../../../../dist/system/lock/process-lock.js', import.meta.url).href}';
  const lock = new ProcessLock({ path: process.argv[1], runId: 'run-1' });`;

test('a held lock keeps no process alive that has nothing else to do', () => {
  const path = lockPath();
  const program = `${WITH_LOCK}
    await lock.acquire();`;
  execFileSync(process.execPath, ['--input-type=module', '-e', program, path], { timeout: 20_000 });
  expect(lockAt(path).holder()).toBeDefined();
  expect(lockAt(path).isLocked()).toBe(false);
});

test('when the details cannot be written, the error is told and the lock is let go', () => {
  const path = lockPath();
  const program = `${WITH_LOCK}
    try { lock.tryAcquire(); } catch (error) {
      process.stdout.write(JSON.stringify([error.code, error.cause.code, lock.held, lock.isLocked()]));
    }`;
  // No file may have any content: for the lock the same as a full disk.
  const script = 'ulimit -f 0; exec "$0" --input-type=module -e "$1" "$2"';
  const out = execFileSync('sh', ['-c', script, process.execPath, program, path]);
  expect(JSON.parse(out.toString())).toEqual(['ERR_STATE_DIR', 'EFBIG', false, false]);
  expect(fs.existsSync(path)).toBe(false);
});

test('release lets go even where the file may not be removed, and the next one acquires', async () => {
  const path = lockPath();
  const other = await LockProcess.start(path);
  await other.call('acquire');
  fs.chmodSync(dirname(path), 0o500);
  await other.call('becomeNobody');
  await other.call('release');
  fs.chmodSync(dirname(path), 0o700);
  expect(fs.existsSync(path)).toBe(true);
  expect(lockAt(path).isLocked()).toBe(false);
  expect(lockAt(path).tryAcquire()).toBe(true);
});

test('asking without pause, from other processes, never makes an acquire on a free lock fail', async () => {
  const lock = lockAt(lockPath());
  // The file must be there, or there would be nothing to ask the kernel about.
  const leaveFile = async () => {
    await lock.acquire();
    const content = fs.readFileSync(lock.path);
    lock.release();
    fs.writeFileSync(lock.path, content);
  };
  await leaveFile();
  const askers = await Promise.all([1, 2, 3].map(() => LockProcess.start(lock.path)));
  const asking = askers.map((asker) => asker.call('ask'));
  for (let i = 0; i < 150; i++) {
    expect(lock.tryAcquire()).toBe(true);
    lock.release();
    await leaveFile();
    await new Promise(setImmediate);
  }
  await Promise.all(askers.map((asker) => asker.call('stop')));
  await Promise.all(asking);
});
