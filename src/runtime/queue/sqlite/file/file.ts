/** The file of a queue: how it is made, opened, and left at rest. */
import { closeSync, fchmodSync, openSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { openDatabase } from './driver.js';
import { migrate, schemaVersion } from './migrations.js';

/** How long SQLite may wait, blocking, for another process's lock: no longer than a heartbeat can be missed. */
const BUSY_TIMEOUT_MS = 2000;

/** Opens the file for its keeper, and creates and migrates it where needed. */
export function openForWriting(path: string): Database {
  createPrivate(path);
  const db = openDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    schemaVersion(db); // throws before a file that is not ours is touched
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    migrate(db);
    shrinkLog(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A log that is longer was kept so by somebody who read for long, in bytes: SQLite moves it to the file at 4 MB. */
const LONG_LOG_BYTES = 16 * 2 ** 20;

/** Moves what lies in a long log to the file, unless somebody still reads. Also, it is cut off when SQLite begins it anew. */
function shrinkLog(db: Database): void {
  db.pragma(`journal_size_limit = ${LONG_LOG_BYTES}`);
  if ((statSync(`${db.name}-wal`, { throwIfNoEntry: false })?.size ?? 0) <= LONG_LOG_BYTES) return;
  db.pragma('busy_timeout = 0');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
}

/** Opens the file beside its executor; `undefined` if there is no queue in it yet. */
export function openForReading(path: string): Database | undefined {
  // SQLite would delete the log of an empty one, even when it only reads.
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined;
  const db = openDatabase(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    if (schemaVersion(db) > 0) return db;
  } catch (error) {
    db.close();
    throw error;
  }
  db.close();
  return undefined;
}

/**
 * Leaves the queue as one plain file: it can be copied, read on read-only
 * media, and a reader need not create a log beside it. Takes about 1 ms.
 */
export function closeAtRest(db: Database): void {
  try {
    db.pragma('busy_timeout = 0');
    db.pragma('journal_mode = DELETE');
  } catch {
    // Somebody still reads, or the disk is in trouble: the log stays, and with it all that is recorded.
  }
  db.close();
}

/** SQLite gives the log and its shared memory the mode of the file itself. */
function createPrivate(path: string): void {
  try {
    const fd = openSync(path, 'wx', 0o600);
    fchmodSync(fd, 0o600); // whatever the umask took away
    closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
