import { HoldfastError } from '../../../base/errors.js';

/** @param how it ended, in words */
export function keeperDied(how: string): HoldfastError {
  return new HoldfastError('ERR_KEEPER_DIED', `the process that keeps the queue ${how}`, {
    hint: 'Nothing that was recorded is lost: start the run again, and it goes on.',
  });
}

export function keeperNotStarted(cause: Error): HoldfastError {
  const message = `the process that keeps the queue could not be started: ${cause.message}`;
  return new HoldfastError('ERR_KEEPER_DIED', message, {
    cause,
    hint: 'Check the limits on open files and on processes (ulimit -n, ulimit -u), then start the run again.',
  });
}
