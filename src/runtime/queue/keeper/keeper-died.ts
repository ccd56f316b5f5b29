import { HoldfastError } from '../../../base/errors.js';

/** @param how it ended, in words */
export function keeperDied(how: string): HoldfastError {
  return new HoldfastError('ERR_KEEPER_DIED', `the process that keeps the queue ${how}`, {
    hint: 'Nothing that was recorded is lost: start the run again, and it goes on.',
  });
}
