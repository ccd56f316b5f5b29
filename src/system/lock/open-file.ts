/** A lock file is opened, as nothing but a plain file of ours; nothing is locked yet. */
import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { notPlain, telling } from './lock-path-errors.js';

/** An open lock file. `dev` and `ino` say which file it is: no other has them while it is open. */
export interface OpenFile {
  fd: number;
  dev: bigint;
  ino: bigint;
}

/**
 * Opens the file at `path`, to be locked later: its descriptor can be handed to a child before. It is made, with
 * its folder, if missing. Throws `ERR_LOCK_PATH` and `ERR_STATE_DIR`.
 */
export function openLockFile(path: string): OpenFile {
  return telling(path, () => openOrCreate(path));
}

/** Makes it, and its folder, if missing. Throws system errors. */
export function openOrCreate(path: string): OpenFile {
  const flags = constants.O_RDWR | constants.O_CREAT;
  const file = openIfThere(path, flags);
  if (file) return file;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return open(path, flags);
}

/** Throws system errors. */
export function openIfThere(path: string, flags: number): OpenFile | undefined {
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

export function closedOnError<T>(fd: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
