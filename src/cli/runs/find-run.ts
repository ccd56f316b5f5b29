import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { askExecutor } from '../../runtime/control/client.js';
import { HoldfastError } from '../../base/errors.js';
import { didYouMean } from '../../base/faults.js';
import { ProcessLock } from '../../system/lock/process-lock.js';
import { QUEUE_FILE } from '../../runtime/run-folder.js';
import type { StateDir } from '../../system/state-dir.js';
import type { ExecutorStatus } from '../../runtime/status.js';
import { formatCount } from '../../base/units.js';
import { commandFor } from '../arguments/suggest-command.js';

/** Runs that are named where another one was asked for. */
const MAX_NAMED = 20;

export function lockOf(stateDir: StateDir, runId: string): ProcessLock {
  return new ProcessLock({ path: stateDir.lockPath(runId), runId });
}

/** @throws HoldfastError ERR_NO_EXECUTOR, naming the runs there are, when this one has left no trace */
export function mustKnowRun(stateDir: StateDir, runId: string): void {
  if (existsSync(stateDir.runDir(runId)) || existsSync(stateDir.lockPath(runId))) return;
  const known = stateDir.runIds();
  const more = known.length > MAX_NAMED ? ` and ${formatCount(known.length - MAX_NAMED)} more` : '';
  throw new HoldfastError(
    'ERR_NO_EXECUTOR',
    `there is no run "${runId}" in ${stateDir.root}${didYouMean(runId, known)}`,
    {
      hint:
        known.length === 0
          ? 'No run has left its state there (another folder: --dir).'
          : `There are: ${known.slice(0, MAX_NAMED).join(', ')}${more}.`,
    },
  );
}

export function queuePath(stateDir: StateDir, runId: string): string {
  return join(stateDir.runDir(runId), QUEUE_FILE);
}

/**
 * Asks the executor of a run that is going on.
 * @throws HoldfastError ERR_NO_EXECUTOR when none is, or it does not answer
 */
export async function askRun(
  stateDir: StateDir,
  runId: string,
  what: Parameters<typeof askExecutor>[1],
): Promise<ExecutorStatus> {
  const lock = lockOf(stateDir, runId);
  if (!lock.isLocked()) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `no executor is running for "${runId}"`, {
      hint: `Where the run stands: ${commandFor(`status ${runId}`, stateDir.root)}`,
    });
  }
  const holder = lock.holder();
  if (holder?.controlSocket === undefined) {
    throw new HoldfastError('ERR_NO_EXECUTOR', `the executor of "${runId}" has no control socket (yet)`, {
      hint: 'One that was started from code serves none. One that just starts will in a moment.',
    });
  }
  try {
    return await askExecutor(holder.controlSocket, what);
  } catch (error) {
    if (!(error instanceof HoldfastError) || !lock.isLocked()) throw error;
    throw new HoldfastError(error.code, error.message, {
      cause: error,
      hint: `It is process ${holder.pid} on ${holder.hostname}: stopped (kill -CONT lets it go on), or too busy to answer.`,
    });
  }
}
