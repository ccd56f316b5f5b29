/** Where a run keeps what can be seen of it from outside. Each is light to ask for; the store is loaded where the queue is opened. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readHealth, type ReadHealth } from '../runtime/health/snapshot.js';
import type { RecordReader } from '../runtime/queue/contract.js';
import { openQueueReader } from '../runtime/queue/open-queue.js';
import { ProcessLock } from '../system/lock/process-lock.js';
import type { TaskCounts } from '../runtime/task/task.js';
import { HEALTH_FILE, type StateDir } from '../system/state-dir.js';

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

/** Opens what is recorded, to be read: as `openQueueReader`. */
export function openRecorded(stateDir: StateDir, runId: string): Promise<RecordReader | undefined> {
  return openQueueReader(stateDir.runDir(runId));
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
