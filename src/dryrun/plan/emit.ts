import type { Writable } from 'node:stream';
import { HoldfastError } from '../../base/errors.js';
import { printableJson } from '../../base/printable.js';
import type { DryRunEvent } from '../events/event-set.js';
import { eventMaker } from '../events/events.js';
import type { Plan } from './plan.js';
import { streamArrivals } from './stream.js';

/**
 * Writes the events of a plan as NDJSON, as fast as they are read; with
 * timestamps of the system's clock, at their planned instants. Resolves when
 * all are written, the signal is aborted, or nobody reads any more; what is
 * written are always whole lines.
 */
export async function emit(plan: Plan, output: Writable, signal?: AbortSignal): Promise<void> {
  const make = eventMaker(plan);
  for await (const arrivals of streamArrivals(plan, { paced: plan.wallClock, signal })) {
    let lines = '';
    try {
      for (const arrival of arrivals) lines += lineOf(make(arrival));
    } finally {
      // Also those before one that cannot be made. All at once: line by line, it cost a seventh of the time.
      if (!output.write(printableJson(lines))) await drained(output, signal);
    }
    if (output.destroyed || signal?.aborted) return;
  }
}

/** @throws HoldfastError `ERR_INVALID_EVENT` if it holds what JSON has no word for */
function lineOf(event: DryRunEvent): string {
  try {
    return `${JSON.stringify(event)}\n`;
  } catch (cause) {
    const why = (cause as Error).message.split('\n', 1)[0]!;
    throw new HoldfastError('ERR_INVALID_EVENT', `event ${event.eventId} cannot be written as JSON: ${why}`, {
      cause,
      hint: 'Through an executor, without --emit, events may hold it.',
    });
  }
}

/** Resolves when the stream takes more, never will, or it is not waited for any more. */
function drained(output: Writable, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      output.off('drain', done).off('close', done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    output.on('drain', done).on('close', done);
    signal?.addEventListener('abort', done);
    if (output.destroyed || signal?.aborted) done();
  });
}
