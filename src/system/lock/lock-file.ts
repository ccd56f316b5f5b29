/**
 * The file that carries a lock. The kernel locks an inode, people know a path;
 * everything here keeps the two together.
 *
 * What makes unlinking safe: only who holds an inode's lock may unlink it, and
 * who has just locked one must find that the path still leads to it, or else
 * begin anew.
 */
import { closeSync, constants, fstatSync, lstatSync, unlinkSync } from 'node:fs';
import { tryLock } from './kernel-lock.js';
import type { Attempt } from './kernel-lock.js';
import { telling } from './lock-path-errors.js';
import { closedOnError, openIfThere, openOrCreate, type OpenFile } from './open-file.js';
import { pause } from './pause.js';

// Askers are in the way for microseconds. A second passes only when one was
// stopped in the middle, or when the file is replaced over and over.
const PATIENCE_MS = 1000;

/**
 * Opens and locks the file at `path`; `create` makes it, and its folder, if
 * missing. Never waits for a holder, but up to a second for others who are
 * only asking. Throws `ERR_LOCK_PATH` and `ERR_STATE_DIR`.
 *
 * @param opened is tried first, and closed where that fails
 */
export function lockFile(path: string, create: boolean, opened?: OpenFile): OpenFile | 'held' | 'missing' {
  return telling(path, () => {
    const deadline = performance.now() + PATIENCE_MS;
    for (let first = opened; ; first = undefined) {
      const file = first ?? (create ? openOrCreate(path) : openIfThere(path, constants.O_RDWR));
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
