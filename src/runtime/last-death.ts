import { BOOT_ID } from '../system/lock/holder.js';
import type { ProcessLock } from '../system/lock/process-lock.js';
import type { PreviousDeath } from './queue/contract.js';

/**
 * How the last executor of a run ended that had no supervisor, by the details
 * that it left in the lock file. To be asked before the lock is acquired.
 *
 * The system has not been started anew since, and it was not told to stop: then
 * something ended its process while it was at work, perhaps one of its tasks.
 * Else, a power cut or a deploy that ran out of patience are no task's fault.
 */
export function lastDeath(lock: ProcessLock): PreviousDeath {
  const left = lock.holder();
  return left?.bootId !== undefined && left.bootId === BOOT_ID && left.stopping !== true ? 'killed' : 'unseen';
}
