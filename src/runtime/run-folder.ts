import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { HoldfastError } from '../base/errors.js';
import { HEALTH_FILE } from './health/snapshot.js';
import { wayBack } from './queue/sqlite/saved-copy.js';
import type { StateDir } from '../system/state-dir.js';
import { formatSize } from '../base/units.js';
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
    // Dumps may tell why it took no task; and what was saved of an earlier queue is nobody's to take away.
    if (!name.startsWith('trace.') && !name.startsWith(SAVED))
      rmSync(join(runDir, name), { recursive: true, force: true });
  }
  removeIfEmpty(runDir);
  return false;
}

/**
 * A queue that is empty, or gone, is no new one where anything tells of an earlier
 * run. SQLite would delete its log, and all would be run again.
 *
 * @throws HoldfastError `ERR_QUEUE_CORRUPT`
 */
export function refuseEmptied(stateDir: StateDir, runId: string): void {
  const runDir = stateDir.runDir(runId);
  const queue = join(runDir, QUEUE_FILE);
  const size = sizeOf(queue);
  if (size !== undefined && size > 0) return;
  const what = size === 0 ? `${queue} is empty` : `${queue} is not there`;
  const copy = latest(runDir, SAVED) ?? latest(stateDir.root, `${runId}.saved-`);
  if (copy !== undefined) {
    throw new HoldfastError('ERR_QUEUE_CORRUPT', `${what}, and what was recorded is saved in ${copy}`, {
      hint: `Put the queue back: ${wayBack(queue, copy)}\nOr --fresh starts the run over.`,
    });
  }
  // The health of a run in memory, too, is left behind when it is killed: it tells of a queue only beside one.
  const others = size === 0 ? [`${QUEUE_FILE}-wal`, HEALTH_FILE] : [`${QUEUE_FILE}-wal`];
  const evidence = others.find((name) => (sizeOf(join(runDir, name)) ?? 0) > 0);
  if (evidence === undefined) return;
  throw new HoldfastError('ERR_QUEUE_CORRUPT', `${what}, and ${evidence} beside it tells of an earlier run`, {
    hint: 'Put back a copy of it, if there is one. Or --fresh starts the run over: all of it is run again.',
  });
}

/** Copies of a queue that was lost, with a number. */
const SAVED = `${basename(QUEUE_FILE, '.db')}.saved-`;

/** The copy with the highest number. */
function latest(folder: string, prefix: string): string | undefined {
  const numberOf = (name: string) => Number(/^(\d+)[.]db$/.exec(name.slice(prefix.length))?.[1] ?? 0);
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.startsWith(prefix) && numberOf(name) > 0)
    : [];
  const name = names.reduce<string | undefined>(
    (most, each) => (most === undefined || numberOf(each) > numberOf(most) ? each : most),
    undefined,
  );
  return name === undefined ? undefined : join(folder, name);
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
