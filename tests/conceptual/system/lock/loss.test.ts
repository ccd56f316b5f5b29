import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { ProcessLock } from '../../../../dist/system/lock/process-lock.js';
import { lockAt, lockPath, openDescriptors } from '../../../support/lock-place.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
});

function watched(lock: ProcessLock): string[] {
  const reasons: string[] = [];
  lock.on('lost', ({ reason }) => reasons.push(reason));
  return reasons;
}

test.each<[string, string, (path: string) => void]>([
  ['deleted', 'its file is deleted', (path) => unlinkSync(path)],
  ['deleted', 'its folder is deleted', (path) => rmSync(dirname(path), { recursive: true })],
  ['deleted', 'its file is moved away', (path) => renameSync(path, `${path}.moved`)],
  [
    'replaced',
    'a copy is moved over its file',
    (path) => {
      writeFileSync(`${path}.copy`, readFileSync(path));
      renameSync(`${path}.copy`, path);
    },
  ],
  [
    'replaced',
    'a link to its own file takes its place',
    (path) => {
      renameSync(path, `${path}.moved`);
      symlinkSync(`${path}.moved`, path);
    },
  ],
])('the lock is told lost once, as %s, when %s', (reason, _, harm) => {
  const before = openDescriptors();
  const lock = lockAt(lockPath());
  const reasons = watched(lock);
  lock.tryAcquire();
  vi.advanceTimersByTime(2000);
  expect(reasons).toEqual([]);
  harm(lock.path);
  expect(lock.held).toBe(true);
  vi.advanceTimersByTime(5000);
  expect(reasons).toEqual([reason]);
  expect(lock.held).toBe(false);
  expect(lock.fd).toBeUndefined();
  expect(openDescriptors()).toBe(before);
});

test('a lock that was lost can be acquired again, and lost again', () => {
  const lock = lockAt(lockPath());
  const reasons = watched(lock);
  for (let i = 1; i <= 2; i++) {
    expect(lock.tryAcquire()).toBe(true);
    unlinkSync(lock.path);
    vi.advanceTimersByTime(500);
    expect(reasons).toHaveLength(i);
  }
});

test('writing to the file in place is no loss', () => {
  const lock = lockAt(lockPath());
  const reasons = watched(lock);
  lock.tryAcquire();
  writeFileSync(lock.path, 'scribble');
  chmodSync(lock.path, 0o644);
  vi.advanceTimersByTime(2000);
  expect(reasons).toEqual([]);
  expect(lock.held).toBe(true);
});

test('a folder that cannot be looked into is no loss, and does not end the watch', () => {
  const lock = lockAt(lockPath());
  const reasons = watched(lock);
  lock.tryAcquire();
  const folder = dirname(lock.path);
  renameSync(folder, `${folder}.real`);
  // Links in a circle: the system answers with an error, not with "not there".
  symlinkSync(folder, folder);
  vi.advanceTimersByTime(2000);
  expect(reasons).toEqual([]);
  unlinkSync(folder);
  renameSync(`${folder}.real`, folder);
  vi.advanceTimersByTime(2000);
  expect(lock.held).toBe(true);
  unlinkSync(lock.path);
  vi.advanceTimersByTime(500);
  expect(reasons).toEqual(['deleted']);
});

test('a released lock is watched no more', () => {
  const lock = lockAt(lockPath());
  const reasons = watched(lock);
  lock.tryAcquire();
  lock.release();
  expect(vi.getTimerCount()).toBe(0);
  mkdirSync(dirname(lock.path), { recursive: true });
  writeFileSync(lock.path, '');
  vi.advanceTimersByTime(2000);
  expect(reasons).toEqual([]);
});

test('the interval of the watch is what the constructor was told', () => {
  const lock = new ProcessLock({ path: lockPath(), runId: 'run-1', watchIntervalMs: 20 });
  const reasons = watched(lock);
  lock.tryAcquire();
  unlinkSync(lock.path);
  vi.advanceTimersByTime(19);
  expect(reasons).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(reasons).toEqual(['deleted']);
});

test('asked whether it is still held, the lock is looked up, and a loss is told at once', () => {
  const lock = lockAt(lockPath());
  const reasons = watched(lock);
  expect(lock.stillHeld()).toBe(false);
  lock.tryAcquire();
  expect(lock.stillHeld()).toBe(true);
  unlinkSync(lock.path);
  const other = lockAt(lock.path);
  other.tryAcquire();
  expect(lock.stillHeld()).toBe(false);
  expect(reasons).toEqual(['replaced']);
  expect(lock.held).toBe(false);
  expect(other.stillHeld()).toBe(true);
});
