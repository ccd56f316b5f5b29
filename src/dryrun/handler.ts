/**
 * The handler of dry runs that name none. It runs in threads: nothing heavy is imported here.
 */
import type { DryRunEvent } from './events/event-set.js';

/** That an event has arrived, whole. */
export interface Receipt {
  eventId: string;
}

/**
 * Takes an event.
 * @throws TypeError naming what an event has, and this input has not
 */
export function consume(event: Partial<Record<keyof DryRunEvent, unknown>> | null): Receipt {
  const { type, eventId, timestamp, dryRun } = event ?? {};
  const lacking = Object.entries({ type, eventId, timestamp }).filter(([, value]) => typeof value !== 'string');
  if (lacking.length > 0)
    throw new TypeError(`this is not an event: it has no ${lacking.map(([name]) => name).join(', no ')}`);
  if (dryRun !== true) throw new TypeError(`${String(eventId)} is of no dry run: it is not marked as such`);
  return { eventId: String(eventId) };
}
