import { HoldfastError } from '../base/errors.js';

export function lockLostError(path: string, reason: string, runId: string): HoldfastError {
  return new HoldfastError('ERR_LOCK_LOST', `the lock file ${path} was ${reason} under the executor of ${runId}`, {
    hint: 'Tasks that were running may be run again by whoever holds the lock now. Start the run again.',
  });
}

export function stoppedError(runId: string, durable: boolean): HoldfastError {
  return new HoldfastError('ERR_EXECUTOR_STOPPED', `the executor of ${runId} was stopped`, {
    hint: durable
      ? 'Tasks without an outcome are still queued: an executor with the same run id goes on with them.'
      : 'Its queue was in memory, and is gone with it.',
  });
}
