import { HoldfastError } from '../../base/errors.js';
import type { ProcessLock } from './process-lock.js';

/** Somebody took the lock away of a run that is just being started. */
export function lostAtStart({ path, runId }: ProcessLock): HoldfastError {
  return new HoldfastError('ERR_LOCK_LOST', `the lock file ${path} was deleted or replaced while ${runId} started`, {
    hint: 'Start the run again.',
  });
}
