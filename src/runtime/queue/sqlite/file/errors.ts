/** SQLite's and the file system's errors, told in the queue's own codes. */
import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.js';
import type { ErrorCode } from '../../../../base/errors.js';

const NOTHING_LOST = 'nothing that was recorded is lost';

const HINTS = {
  ERR_QUEUE_BUSY: `Close the program that has the file open for writing, then run the same command again: ${NOTHING_LOST}.`,
  ERR_QUEUE_CORRUPT:
    'Move the file aside and keep it (`sqlite3 <file> .recover` may save its rows), then start afresh.',
  ERR_QUEUE_DISK_FULL: `Free some space on that disk, then run the same command again: ${NOTHING_LOST}.`,
  ERR_QUEUE_IO: `Check the disk, its quota and the limits on the size of files and on open ones (ulimit -f, ulimit -n), then run the same command again: ${NOTHING_LOST}.`,
  ERR_QUEUE_READ_ONLY: `Make the file and its folder writable, then run the same command again: ${NOTHING_LOST}.`,
} satisfies Partial<Record<ErrorCode, string>>;

type QueueErrorCode = keyof typeof HINTS;

const PROBLEMS: Record<QueueErrorCode, string> = {
  ERR_QUEUE_BUSY: 'another process keeps the queue locked',
  ERR_QUEUE_CORRUPT: 'the queue is damaged, or is not a queue',
  ERR_QUEUE_DISK_FULL: 'the disk that holds the queue is full',
  ERR_QUEUE_IO: 'the queue cannot be read or written',
  ERR_QUEUE_READ_ONLY: 'the queue, or its folder, is read-only',
};

/** Whether the store itself is in trouble, rather than the one call that met it. */
export function isStoreTrouble(error: unknown): boolean {
  return error instanceof HoldfastError && error.code in HINTS;
}

/** An error of SQLite or of the file system in the queue's words; any other as it came. */
function queueError(path: string, error: unknown): unknown {
  if (isUnbuiltDriver(error)) {
    return new HoldfastError(
      'ERR_QUEUE_DRIVER',
      `better-sqlite3 does not load: ${error.message.split('\n', 1)[0]!.replace(/ Tried:$/, '')}`,
      {
        cause: error,
        hint: 'Build it: npm install-scripts approve better-sqlite3 (npm 11 and newer), then npm rebuild better-sqlite3.',
      },
    );
  }
  if (!(error instanceof Database.SqliteError) && !isSystemError(error)) return error;
  const code = queueErrorCode(path, error.code);
  const message = `${PROBLEMS[code]}: ${path} (${error.code}: ${error.message})`;
  return new HoldfastError(code, message, { cause: error, hint: HINTS[code] });
}

function queueErrorCode(path: string, code: string): QueueErrorCode {
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)$/.test(code)) return 'ERR_QUEUE_DISK_FULL';
  if (/^(SQLITE_CORRUPT|SQLITE_NOTADB)/.test(code)) return 'ERR_QUEUE_CORRUPT';
  if (/^(SQLITE_BUSY|SQLITE_LOCKED)/.test(code)) return 'ERR_QUEUE_BUSY';
  if (/^(SQLITE_READONLY|SQLITE_PERM|EACCES|EPERM|EROFS)/.test(code)) return 'ERR_QUEUE_READ_ONLY';
  if (code.startsWith('SQLITE_CANTOPEN') && !isWritable(path)) return 'ERR_QUEUE_READ_ONLY';
  if (code.startsWith('SQLITE_IOERR') && isFull(path)) return 'ERR_QUEUE_DISK_FULL';
  return 'ERR_QUEUE_IO';
}

/** Runs `body`, and tells its errors in the queue's words. */
export function inQueueWords<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw queueError(path, error);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** npm did not run its install script (then no file was found, after some tries), or another Node did. */
function isUnbuiltDriver(error: unknown): error is Error {
  return error instanceof Error && ('tries' in error || (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_FAILED');
}

/** SQLite says only that it could not open a file; whether it may at all is ours to find out. */
function isWritable(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Growing the log's shared memory, by 32 KiB, on a full disk is an I/O error
 * to SQLite, not `SQLITE_FULL`. A limit on file size (EFBIG) is one as well,
 * and stays one here: free space would not help.
 */
function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < 1 << 16;
  } catch {
    return false;
  }
}
