import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskQueue } from './queue/contract.js';

/** The durable queue, in the folder of its run. */
export const QUEUE_FILE = 'queue.db';

/** The dumps of ASYNC_DEBUG, in the folder of its run; `trace.ndjson`, and old ones with a number, beside it. */
export const TRACE_LOG = 'trace.log';

/** Lies beside the queue of a run that dry runs may start over, and is empty. */
export const DRY_RUN_MARK = 'dry-run';

/** What may be removed with a queue that is closed. */
export interface MayRemove {
  /** Whether the run is still ours, asked just before: only its holder may take anything of it away. */
  folder: () => boolean;
  /** False where the history is not this queue's to tell: it was in memory. */
  content: boolean;
}

/**
 * Closes the queue. A run whose first executor accepted no task leaves no folder
 * behind; one with a history keeps it, so that its epoch never starts over.
 *
 * @returns whether there is something left in the folder
 */
export async function closeQueue(queue: TaskQueue, runDir: string, may: MayRemove): Promise<boolean> {
  let untouched = false;
  try {
    await queue.check();
    const counts = await queue.counts();
    untouched = may.content && queue.epoch === 1 && Object.values(counts).every((count) => count === 0);
  } catch {
    // What cannot be read is kept.
  }
  await queue.close();
  if (!may.folder()) return true;
  if (!untouched) return !removeIfEmpty(runDir);
  for (const name of existsSync(runDir) ? readdirSync(runDir) : []) {
    // Dumps may tell why it took no task.
    if (!name.startsWith('trace.')) rmSync(join(runDir, name), { recursive: true, force: true });
  }
  removeIfEmpty(runDir);
  return false;
}

/** @returns whether it is gone */
export function removeIfEmpty(runDir: string): boolean {
  try {
    rmdirSync(runDir);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
