import type { Writable } from 'node:stream';
import { eventMaker } from './events.js';
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
    for (const arrival of arrivals) lines += `${JSON.stringify(make(arrival))}\n`;
    if (!output.write(lines)) await drained(output, signal);
    if (output.destroyed || signal?.aborted) return;
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
