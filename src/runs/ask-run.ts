import { HoldfastError } from '../base/errors.js';
import { askExecutor, type ControlRequest } from '../runtime/control/client.js';
import type { ExecutorStatus } from '../runtime/status.js';
import type { StateDir } from '../system/state-dir.js';
import { lockOf } from './run-files.js';

/**
 * Asks the executor of a run that is going on.
 *
 * @throws HoldfastError ERR_NO_EXECUTOR when none is (then without a hint), or it does not answer
 */
export async function askRun(stateDir: StateDir, runId: string, what: ControlRequest): Promise<ExecutorStatus> {
  const lock = lockOf(stateDir, runId);
  if (!lock.isLocked()) throw new HoldfastError('ERR_NO_EXECUTOR', `no executor is running for "${runId}"`);
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
