/**
 * The handler of dry runs that name none. It runs in threads: nothing heavy is imported here.
 */
import type { DryRunEvent } from './event-set.js';

/** That an event has arrived, whole. */
export interface Receipt {
  eventId: string;
}

/**
 * Takes an event.
 * @throws TypeError naming what an event has, and this input has not
 */
export function consume(event: DryRunEvent): Receipt {
  const lacking = (['type', 'eventId', 'timestamp'] as const).filter((field) => typeof event?.[field] !== 'string');
  if (lacking.length > 0) throw new TypeError(`this is no event: it has no ${lacking.join(', no ')}`);
  if (event.dryRun !== true) throw new TypeError(`${event.eventId} is no event of a dry run: it is not marked as one`);
  return { eventId: event.eventId };
}
