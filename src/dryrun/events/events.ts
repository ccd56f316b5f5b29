import { eventIdOf, type Arrival } from '../plan/arrivals.js';
import type { DryRunEvent } from './event-set.js';
import { isoClock } from './iso-time.js';
import type { Plan } from '../plan/plan.js';
import { drawOf } from '../plan/random.js';

/** Where the logical clock starts, in ms since the epoch: 2024-01-01T00:00:00.000Z. */
const LOGICAL_START = 1_704_067_200_000;

/** Makes the events of a plan, to be asked for in the order of the arrivals, each once. */
export function eventMaker(plan: Plan): (arrival: Arrival) => DryRunEvent {
  const { events, account, wallClock, seed } = plan;
  const draw = drawOf(seed, 'bodies');
  const about = { account };
  const iso = isoClock();
  return (arrival) => ({
    type: arrival.type,
    eventId: eventIdOf(arrival),
    timestamp: iso(wallClock ? Date.now() : LOGICAL_START + arrival.at),
    ...events[arrival.type]!.make(draw, arrival.n, about),
    dryRun: true,
  });
}
