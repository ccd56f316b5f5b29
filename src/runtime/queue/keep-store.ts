/**
 * How a keeper opens the store of a run: a process that loads no module of the
 * user's, and nobody else. The locks that SQLite relies on are those of a process,
 * and go when anything in it closes the file: so they must not be those of a process
 * in which handlers run.
 */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.js';
import { QUEUE_FILE } from '../../system/state-dir.js';
import type { QueueStore } from './contract.js';
import type { KeeperServer } from './keeper/server.js';

/**
 * Makes this process the keeper of a durable store, as it holds the lock of the run, or shares it with who does.
 * Nothing is opened yet.
 *
 * @param runDir folder of the run, in the state folder
 * @param mayRemove asked before a file is removed that cannot be read; throws if it must stay
 * @param onClosed called when an executor has closed the store, before it hears so
 */
export async function keepStore(
  runDir: string,
  mayRemove: () => void | Promise<void>,
  onClosed?: () => void,
): Promise<KeeperServer> {
  const { KeeperServer } = await import('./keeper/server.js');
  return new KeeperServer({
    open: (fresh) => openFile(runDir, fresh),
    discard: async (error) => {
      if (!(error instanceof HoldfastError) || error.code !== 'ERR_QUEUE_CORRUPT') throw error;
      await mayRemove();
      // Only then does the epoch start over.
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(runDir, `${QUEUE_FILE}${suffix}`), { force: true });
    },
    ...(onClosed && { onClosed }),
  });
}

async function openFile(runDir: string, fresh: boolean): Promise<QueueStore> {
  if (!fresh) (await import('./sqlite/file/evidence.js')).refuseEmptied(runDir);
  const root = dirname(dirname(runDir));
  // Where a copy can lie when the folder of the run is gone, and with it perhaps all of the state folder.
  const elsewhere = [root, dirname(root), tmpdir()].map((folder) => join(folder, `${basename(runDir)}.saved`));
  return (await import('./sqlite/sqlite-queue.js')).openSqliteStore(join(runDir, QUEUE_FILE), elsewhere);
}
