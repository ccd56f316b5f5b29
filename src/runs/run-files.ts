/** Where a run keeps what can be seen of it from outside. Each is light to ask for; SQLite is loaded where the queue is opened. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HEALTH_FILE, readHealth, type ReadHealth } from '../runtime/health/snapshot.js';
import type { QueueReader } from '../runtime/queue/contract.js';
import { QUEUE_FILE, refuseEmptied } from '../runtime/run-folder.js';
import { ProcessLock } from '../system/lock/process-lock.js';
import type { TaskCounts } from '../runtime/task/task.js';
import type { StateDir } from '../system/state-dir.js';

/** Whether a run of that id has left any trace. */
export function isKnownRun(stateDir: StateDir, runId: string): boolean {
  return existsSync(stateDir.runDir(runId)) || existsSync(stateDir.lockPath(runId));
}

export function lockOf(stateDir: StateDir, runId: string): ProcessLock {
  return new ProcessLock({ path: stateDir.lockPath(runId), runId });
}

/** What its last executor wrote of its health, and what of it cannot be read. */
export function lastHealth(stateDir: StateDir, runId: string): ReadHealth {
  return readHealth(join(stateDir.runDir(runId), HEALTH_FILE));
}

/**
 * Opens what is recorded, to be read: nothing is written, and its executor may go on.
 *
 * @returns `undefined` if nothing is: the run is kept in memory, or never came to take a task
 * @throws HoldfastError `ERR_QUEUE_CORRUPT` where the queue is empty or gone and other files tell of an earlier
 * run, and what `openSqliteQueueReader` throws
 */
export async function openRecorded(stateDir: StateDir, runId: string): Promise<QueueReader | undefined> {
  refuseEmptied(stateDir, runId);
  const { openSqliteQueueReader } = await import('../runtime/queue/sqlite/reader.js');
  return openSqliteQueueReader(join(stateDir.runDir(runId), QUEUE_FILE));
}

/** `undefined` and errors: as `openRecorded`. */
export async function recordedCounts(stateDir: StateDir, runId: string): Promise<TaskCounts | undefined> {
  const reader = await openRecorded(stateDir, runId);
  try {
    return await reader?.counts();
  } finally {
    await reader?.close();
  }
}
