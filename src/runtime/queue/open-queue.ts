/**
 * Which stores there are, and how each is opened for a run: nobody else knows.
 * Each is loaded only when it is used, as starting fast is part of the job.
 */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.js';
import { QUEUE_FILE } from '../../system/state-dir.js';
import type { RecordReader, StoreTraits, TaskQueue } from './contract.js';
import { MEMORY_TRAITS, SQLITE_TRAITS } from './traits.js';

/** By what a store is chosen: options of the executor. */
export interface StoreChoice {
  durable: boolean;
}

export function traitsOf({ durable }: StoreChoice): StoreTraits {
  return durable ? SQLITE_TRAITS : MEMORY_TRAITS;
}

/**
 * Opens the queue of a run for its executor, which holds the lock of the run.
 *
 * @param runDir folder of the run, in the state folder
 * @throws HoldfastError the errors of the store; `ERR_QUEUE_CORRUPT` also where the queue is empty or gone, and
 * other files tell of an earlier run
 */
export async function openQueue({ durable }: StoreChoice, runDir: string): Promise<TaskQueue> {
  if (!durable) return (await import('./memory/memory-queue.js')).openMemoryQueue();
  (await import('./sqlite/evidence.js')).refuseEmptied(runDir);
  return openFile(runDir);
}

/**
 * Opens it for a run that starts over: what was recorded is forgotten.
 *
 * @param mayRemove asked before a file is removed that cannot be read; throws if it must stay
 */
export async function openCleared(choice: StoreChoice, runDir: string, mayRemove: () => void): Promise<TaskQueue> {
  const queue = await (choice.durable ? openReadable(runDir, mayRemove) : openQueue(choice, runDir));
  try {
    await queue.clear();
    return queue;
  } catch (error) {
    await queue.close().catch(() => {});
    throw error;
  }
}

/**
 * Opens what is recorded of a run, to be read: nothing is written, and its executor may go on.
 *
 * @returns `undefined` if nothing is: the run is kept in memory, or never came to take a task
 * @throws HoldfastError as `openQueue`, and `ERR_QUEUE_READ_ONLY` where the process may not read the file
 */
export async function openQueueReader(runDir: string): Promise<RecordReader | undefined> {
  (await import('./sqlite/evidence.js')).refuseEmptied(runDir);
  return (await import('./sqlite/reader.js')).openSqliteQueueReader(join(runDir, QUEUE_FILE));
}

/** A file beyond reading goes first. Only then does the epoch start over. */
async function openReadable(runDir: string, mayRemove: () => void): Promise<TaskQueue> {
  try {
    return await openFile(runDir);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'ERR_QUEUE_CORRUPT') throw error;
    mayRemove();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(runDir, `${QUEUE_FILE}${suffix}`), { force: true });
    return openFile(runDir);
  }
}

async function openFile(runDir: string): Promise<TaskQueue> {
  const root = dirname(dirname(runDir));
  // Where a copy can lie when the folder of the run is gone, and with it perhaps all of the state folder.
  const elsewhere = [root, dirname(root), tmpdir()].map((folder) => join(folder, `${basename(runDir)}.saved`));
  return (await import('./sqlite/sqlite-queue.js')).openSqliteQueue(join(runDir, QUEUE_FILE), elsewhere);
}
