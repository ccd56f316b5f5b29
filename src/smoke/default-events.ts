import { planArrivals } from '../dryrun/plan/arrivals.js';
import { eventMaker } from '../dryrun/events/events.js';
import { DEFAULT_PLAN } from '../dryrun/plan/plan.js';

/** Two of each of the three types. */
const COUNT = 6;

/** A handful of the built-in events, all at once. */
export function* defaultEvents(): Generator<unknown, void, undefined> {
  const plan = { ...DEFAULT_PLAN, count: COUNT };
  const make = eventMaker(plan);
  for (const arrival of planArrivals(plan)) yield make(arrival);
}
