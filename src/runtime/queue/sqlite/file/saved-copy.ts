/** What becomes of a queue whose files were taken away while it was open: the connection still holds all of it. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.js';
import { inShell } from '../../../../base/in-shell.js';
import type { OpenFiles } from '../../../../system/open-files.js';

/** Copies that may lie side by side. */
const MAX_COPIES = 1000;

/**
 * Saves all that was committed, and gives `ERR_QUEUE_LOST`, which says where it is.
 *
 * @param places where the copy may lie, best first: paths to which `-1.db` is added, or the next free number
 */
export function saveLostQueue(
  db: Database,
  lost: NonNullable<ReturnType<OpenFiles['whatIsLost']>>,
  places: readonly string[],
): HoldfastError {
  const what = `${lost.path} was ${lost.was} while the queue was open`;
  const failures: Error[] = [];
  for (const place of places) {
    try {
      const copy = saveCopy(db, place);
      return new HoldfastError('ERR_QUEUE_LOST', `${what}; all that was recorded is saved in ${copy}`, {
        hint: `Find out who does that, and put the queue back: ${wayBack(db.name, copy)}\nThen the same command goes on.`,
      });
    } catch (error) {
      failures.push(error as Error);
    }
  }
  const why = failures.map(({ message }) => message).join('; ');
  return new HoldfastError('ERR_QUEUE_LOST', `${what}, and what was recorded could not be saved: ${why}`, {
    cause: failures[0],
    hint: 'Find out who does that, make room for the state folder, and start the run again.',
  });
}

/** What to type to put a copy in the place of the queue. A log that lies there is of another file, and would spoil it. */
export function wayBack(path: string, copy: string): string {
  const [queue, folder] = [inShell(path), inShell(dirname(path))];
  return `mkdir -p -m 700 ${folder} && rm -f ${queue} ${inShell(`${path}-wal`)} ${inShell(`${path}-shm`)} && mv ${inShell(copy)} ${queue}`;
}

function saveCopy(db: Database, place: string): string {
  const { path, fd } = createCopy(place);
  try {
    db.prepare('vacuum into ?').run(path);
    fsyncSync(fd);
    return path;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Empty, which SQLite takes for a new one, and this user's alone. */
function createCopy(place: string): { path: string; fd: number } {
  for (let number = 1; ; number++) {
    const path = `${place}-${number}.db`;
    try {
      return { path, fd: openSync(path, 'wx', 0o600) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || number === MAX_COPIES) throw error;
    }
  }
}
