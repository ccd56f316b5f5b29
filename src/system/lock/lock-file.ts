/**
 * The file that carries a lock. The kernel locks an inode, people know a path;
 * everything here keeps the two together.
 *
 * What makes unlinking safe: only who holds an inode's lock may unlink it, and
 * who has just locked one must find that the path still leads to it, or else
 * begin anew.
 */
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { tryLock } from './kernel-lock.js';
import type { Attempt } from './kernel-lock.js';
import { notPlain, telling } from './lock-path-errors.js';
import { pause } from './pause.js';

/** An open lock file. `dev` and `ino` say which file it is: no other has them while it is open. */
export interface OpenFile {
  fd: number;
  dev: bigint;
  ino: bigint;
}

// Askers are in the way for microseconds. A second passes only when one was
// stopped in the middle, or when the file is replaced over and over.
const PATIENCE_MS = 1000;

/**
 * Opens and locks the file at `path`; `create` makes it, and its folder, if
 * missing. Never waits for a holder, but up to a second for others who are
 * only asking. Throws `ERR_LOCK_PATH` and `ERR_STATE_DIR`.
 */
export function lockFile(path: string, create: boolean): OpenFile | 'held' | 'missing' {
  return telling(path, () => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const file = create ? openOrCreate(path) : openIfThere(path, constants.O_RDWR);
      if (!file) return 'missing';
      const attempt = closedOnError(file.fd, () => tryLockAt(path, file));
      if (attempt === 'acquired') return file;
      closeSync(file.fd);
      if (attempt === 'held' || performance.now() > deadline) return 'held';
      // Random, lest two that try at once go on disturbing each other.
      pause(Math.random());
    }
  });
}

function tryLockAt(path: string, file: OpenFile): Attempt {
  const attempt = tryLock(file.fd);
  // A holder may have released and removed the file since it was opened, and
  // the lock of a file that nobody can find any more is worth nothing.
  return whereabouts(path, file) === 'there' ? attempt : 'disturbed';
}

/** Removes the file at `path` if nobody holds its lock. Throws `ERR_LOCK_PATH` and `ERR_STATE_DIR`. */
export function removeUnheld(path: string): 'removed' | 'held' | 'missing' {
  const file = lockFile(path, false);
  if (typeof file === 'string') return file;
  try {
    telling(path, () => unlinkSync(path));
    return 'removed';
  } finally {
    closeSync(file.fd);
  }
}

/**
 * Hands the file, open for reading, to `use`; `undefined` if there is none.
 * Throws `ERR_LOCK_PATH` and `ERR_STATE_DIR`.
 */
export function reading<T>(path: string, use: (fd: number) => T): T | undefined {
  return telling(path, () => {
    const file = openIfThere(path, constants.O_RDONLY);
    if (!file) return undefined;
    try {
      return use(file.fd);
    } finally {
      closeSync(file.fd);
    }
  });
}

/** Whether `path`, links not followed, still leads to this very file. Throws system errors. */
export function whereabouts(path: string, file: OpenFile): 'there' | 'replaced' | 'deleted' {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!found) return 'deleted';
  return found.ino === file.ino && found.dev === file.dev ? 'there' : 'replaced';
}

/** Which file `fd` is. Throws system errors. */
export function identify(fd: number): OpenFile {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return { fd, dev, ino };
}

function openOrCreate(path: string): OpenFile {
  const flags = constants.O_RDWR | constants.O_CREAT;
  const file = openIfThere(path, flags);
  if (file) return file;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return open(path, flags);
}

function openIfThere(path: string, flags: number): OpenFile | undefined {
  try {
    return open(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function open(path: string, flags: number): OpenFile {
  // O_NONBLOCK: a FIFO in the lock's place must not hang us; for plain files it means nothing.
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  return closedOnError(fd, () => {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw notPlain(path, stat);
    // The holder's details would overwrite the file behind the other name, too.
    if (stat.nlink > 1n) throw notPlain(path, 'a hard link to another file');
    return { fd, dev: stat.dev, ino: stat.ino };
  });
}

function closedOnError<T>(fd: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
