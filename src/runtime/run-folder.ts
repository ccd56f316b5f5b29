import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatSize } from '../base/units.js';
import type { TaskQueue } from './queue/contract.js';
import { QUEUE_FILE, SAVED_QUEUE } from '../system/state-dir.js';

/** The dumps of ASYNC_DEBUG, in the folder of its run; `trace.ndjson`, and old ones with a number, beside it. */
export const TRACE_LOG = 'trace.log';

/**
 * Closes the queue. A run whose first executor accepted no task leaves no folder
 * behind; one with a history keeps it, so that its epoch never starts over.
 *
 * @param stillOurs whether the run is, asked just before: only its holder may take anything of it away
 * @returns whether there is something left in the folder
 */
export async function closeQueue(queue: TaskQueue, runDir: string, stillOurs: () => boolean): Promise<boolean> {
  let untouched = false;
  try {
    await queue.check();
    const counts = await queue.counts();
    // Of a history on disk, a queue in memory tells nothing.
    untouched =
      queue.traits.outlivesProcess && queue.predecessor === 0 && Object.values(counts).every((count) => count === 0);
  } catch {
    // What cannot be read is kept.
  }
  await queue.close();
  if (!stillOurs()) return true;
  if (!untouched) return !removeIfEmpty(runDir);
  for (const name of existsSync(runDir) ? readdirSync(runDir) : []) {
    // Dumps may tell why it took no task; and what was saved of an earlier queue is nobody's to take away.
    if (!name.startsWith('trace.') && !name.startsWith(SAVED_QUEUE))
      rmSync(join(runDir, name), { recursive: true, force: true });
  }
  removeIfEmpty(runDir);
  return false;
}

/** So much of a log is told of when it stays behind, in bytes. */
const TOLD_LOG_BYTES = 2 ** 20;

/** What to know of a log that had to stay when the queue was closed; `undefined`: there is none, or next to nothing. */
export function logLeftBehind(runDir: string): Error | undefined {
  const log = join(runDir, `${QUEUE_FILE}-wal`);
  const size = sizeOf(log) ?? 0;
  if (size < TOLD_LOG_BYTES) return undefined;
  return new Error(
    `another program still reads the queue: ${formatSize(size)} of it stay in ${log}, which belongs to ${QUEUE_FILE} and must stay beside it; the next start moves them there`,
  );
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
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
