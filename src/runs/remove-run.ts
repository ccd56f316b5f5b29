import { readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../base/errors.js';
import type { StateDir } from '../system/state-dir.js';
import { lockOf } from './run-files.js';
import { remainsOf, type KeepReason, type RunRemains } from './run-remains.js';

/** What is removed lies under such a name first. No run id begins with a dot. */
const REMOVED = '.removed-';

/**
 * Removes a run under its lock: no executor can start meanwhile, and what it holds is judged once more. Its folder is
 * renamed first, so that it is there as a whole or not at all, wherever this process may be ended.
 *
 * @param may what speaks against it, and does not count
 * @returns why it was kept; empty: it is removed
 * @throws HoldfastError `ERR_STATE_DIR` where the system refuses; what the lock throws
 */
export async function removeRun(
  stateDir: StateDir,
  runId: string,
  may: (reason: KeepReason) => boolean,
): Promise<RunRemains['kept']> {
  stateDir.refuseForeignLinks(dirname(stateDir.runDir(runId)));
  stateDir.refuseForeignLinks(dirname(stateDir.lockPath(runId)));
  const lock = lockOf(stateDir, runId);
  if (!lock.tryAcquire()) return [{ reason: 'held', why: 'is held by another process' }];
  try {
    const remains = await remainsOf(stateDir, runId);
    const kept = remains.kept.filter(({ reason }) => reason !== 'held' && !may(reason));
    if (kept.length > 0) return kept;
    if (!lock.stillHeld()) throw unremovable(runId, `its lock was taken away meanwhile (${lock.path})`);
    for (const path of remains.paths) if (path !== lock.path) removeWhole(path, stateDir, runId);
    return [];
  } finally {
    // Takes its file away, too.
    lock.release();
  }
}

function removeWhole(path: string, stateDir: StateDir, runId: string): void {
  try {
    if (path !== stateDir.runDir(runId)) return rmSync(path, { force: true });
    const aside = join(dirname(path), `${REMOVED}${runId}-${process.pid}`);
    renameSync(path, aside);
    try {
      // Links in it are removed, and not followed.
      rmSync(aside, { recursive: true, force: true });
    } catch (error) {
      renameSync(aside, path);
      throw error;
    }
  } catch (error) {
    throw unremovable(runId, (error as Error).message, error);
  }
}

function unremovable(runId: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_STATE_DIR', `run "${runId}" cannot be removed: ${why}`, { cause });
}

/** Removes what a process left that was ended while it removed a run. */
export function removeLeftovers(stateDir: StateDir): void {
  const folder = join(stateDir.root, 'runs');
  try {
    if (realpathSync(folder) !== join(realpathSync(stateDir.root), 'runs')) return;
    for (const name of readdirSync(folder)) {
      if (name.startsWith(REMOVED)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  } catch {
    // There is none, or it is in the way of nobody.
  }
}
