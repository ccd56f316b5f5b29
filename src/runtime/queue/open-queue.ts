/**
 * Which stores there are, and how an executor comes by each: nobody else knows.
 * Each is loaded only when it is used, as starting fast is part of the job.
 *
 * A store on disk is opened by its keeper alone (`keep-store.ts`), which is reached
 * here.
 */
import { join } from 'node:path';
import type { ProcessLock } from '../../system/lock/process-lock.js';
import { QUEUE_FILE } from '../../system/state-dir.js';
import type { RecordReader, StoreTraits, TaskQueue } from './contract.js';
import type { KeeperClient } from './keeper/client.js';
import { MEMORY_TRAITS, SQLITE_TRAITS } from './traits.js';

/** By what a store is chosen: options of the executor. */
export interface StoreChoice {
  durable: boolean;
}

export function traitsOf({ durable }: StoreChoice): StoreTraits {
  return durable ? SQLITE_TRAITS : MEMORY_TRAITS;
}

/** How an executor comes by its queue. */
export interface StoreAccess {
  /**
   * Opens the queue for the executor, which holds the lock of the run.
   *
   * @param fresh for a run that starts over: what was recorded is forgotten
   * @throws HoldfastError the errors of the store; `ERR_QUEUE_CORRUPT` also where the queue is empty or gone, and
   * other files tell of an earlier run; `ERR_LOCK_LOST` where a file that cannot be read was to be removed, and the
   * lock of the run is gone; `ERR_KEEPER_DIED`
   */
  open(fresh: boolean): Promise<TaskQueue>;
  /**
   * To be called where no queue was opened; where one was closed, it does nothing. Resolves when nobody else has
   * anything of the run open for this executor.
   */
  end(): Promise<void>;
}

/**
 * Begins to reach the store of a run. A durable one has a keeper: a process of its
 * own is started for it now, and takes a while to load.
 *
 * @param keeperFd descriptor of the line to a keeper that is there already
 */
export function reachStore(
  { durable }: StoreChoice,
  runDir: string,
  lock: ProcessLock,
  keeperFd?: number,
): StoreAccess {
  if (!durable) return IN_MEMORY;
  const client = reachKeeper(runDir, lock, keeperFd);
  client.catch(() => {});
  return {
    open: async (fresh) => (await client).join(fresh),
    end: async () => (await client).leave(),
  };
}

const IN_MEMORY: StoreAccess = {
  open: async () => (await import('./memory/memory-queue.js')).openMemoryQueue(),
  end: async () => {},
};

async function reachKeeper(runDir: string, lock: ProcessLock, keeperFd: number | undefined): Promise<KeeperClient> {
  const client = import('./keeper/client.js');
  if (keeperFd !== undefined) {
    const { KeeperClient, lineTo } = await client;
    return new KeeperClient(lineTo(keeperFd));
  }
  const line = await (await import('./keeper/start-keeper.js')).startKeeper(runDir, lock);
  return new (await client).KeeperClient(line);
}

/**
 * Opens what is recorded of a run, to be read: nothing is written, and its executor may go on. Never in a process
 * in which handlers run.
 *
 * @returns `undefined` if nothing is: the run is kept in memory, or never came to take a task
 * @throws HoldfastError as `StoreAccess.open`, and `ERR_QUEUE_READ_ONLY` where the process may not read the file
 */
export async function openQueueReader(runDir: string): Promise<RecordReader | undefined> {
  (await import('./sqlite/file/evidence.js')).refuseEmptied(runDir);
  return (await import('./sqlite/reader.js')).openSqliteQueueReader(join(runDir, QUEUE_FILE));
}
