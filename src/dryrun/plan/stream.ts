import { planArrivals, type Arrival } from './arrivals.js';
import type { DryRunEvent } from '../events/event-set.js';
import { eventMaker } from '../events/events.js';
import { paced, turn } from './pace.js';
import type { Plan } from './plan.js';

/** So many events are made between two turns of the event loop: about a millisecond's work. */
const CHUNK = 500;

export interface StreamOptions {
  /** Whether each event comes at its planned instant; else as fast as they are taken. */
  paced: boolean;
  /** Ends the stream at once; nothing is thrown. */
  signal?: AbortSignal | undefined;
}

/** The events of a plan. Nothing of it is checked: see `generateEvents`. */
export async function* streamEvents(plan: Plan, options: StreamOptions): AsyncGenerator<DryRunEvent, void, undefined> {
  const make = eventMaker(plan);
  for await (const arrivals of streamArrivals(plan, options)) {
    for (const arrival of arrivals) {
      if (options.signal?.aborted) return;
      yield make(arrival);
    }
  }
}

/** The arrivals of a plan, those together that come together. */
export function streamArrivals(plan: Plan, { paced: inTime, signal }: StreamOptions): AsyncGenerator<Arrival[]> {
  const arrivals = planArrivals(plan);
  return inTime ? paced(arrivals, { signal }) : chunked(arrivals, signal);
}

/** The event loop turns in between: else no signal would come through. */
async function* chunked(arrivals: Iterable<Arrival>, signal: AbortSignal | undefined): AsyncGenerator<Arrival[]> {
  let chunk: Arrival[] = [];
  for (const arrival of arrivals) {
    chunk.push(arrival);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
    await turn();
    if (signal?.aborted) return;
  }
  yield chunk;
}
