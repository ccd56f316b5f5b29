import { HoldfastError } from '../base/errors.js';
import type { StoreTraits } from './queue/contract.js';

export function lockLostError(path: string, reason: string, runId: string): HoldfastError {
  return new HoldfastError('ERR_LOCK_LOST', `the lock file ${path} was ${reason} under the executor of ${runId}`, {
    hint: 'Tasks that were running may be run again by whoever holds the lock now. Start the run again.',
  });
}

export function stoppedError(runId: string, { outlivesProcess }: StoreTraits): HoldfastError {
  return new HoldfastError('ERR_EXECUTOR_STOPPED', `the executor of ${runId} was stopped`, {
    hint: outlivesProcess
      ? 'Tasks without an outcome are still queued: an executor with the same run id goes on with them.'
      : 'Its queue was in memory, and is gone with it.',
  });
}
