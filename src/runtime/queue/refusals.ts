/** Errors that every store gives alike. */
import { HoldfastError } from '../../base/errors.js';

/** A queue that is this executor's alone refused what became of a task. */
export function claimOver(seq: number): HoldfastError {
  return new HoldfastError(
    'ERR_STALE_EXECUTOR',
    `task #${seq} is not running under this executor any more: nothing was recorded of it`,
    { hint: 'Its outcome, if any, is the one that was recorded first: see `runtime results <run-id>`.' },
  );
}

/** A newer executor has opened the queue. */
export function takenOver(path: string, epoch: number, newer: number): HoldfastError {
  return new HoldfastError(
    'ERR_STALE_EXECUTOR',
    `a newer executor (epoch ${newer}) has taken ${path} over; this one (epoch ${epoch}) may not write any more`,
    { hint: 'Stop this executor: the newer one continues the run.' },
  );
}

export function queueClosed(): HoldfastError {
  return new HoldfastError('ERR_EXECUTOR_STOPPED', 'the queue was closed');
}

/** One record of the queue cannot be given; the others can. */
export function damagedRecord(which: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_QUEUE_CORRUPT', `the record ${which} is damaged: ${why}`, {
    cause,
    hint: 'The other records can be read: runtime results <run-id>.',
  });
}
