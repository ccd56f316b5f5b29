import type { Executor } from '../runtime/executor.js';
import type { NewTask, Outcome } from '../runtime/task/task.js';
import { encode } from '../runtime/task/codec.js';
import { eventIdOf, planArrivals, type Arrival } from './plan/arrivals.js';
import { eventMaker } from './events/events.js';
import type { Measurements } from './measure/measurements.js';
import { paced } from './plan/pace.js';
import type { Plan } from './plan/plan.js';

/**
 * Submits the events of a plan as tasks, each at its planned instant, whether
 * or not the executor keeps up. The id of a task is that of its event.
 *
 * Resolves once every event that was submitted has its outcome; rejects with
 * what the executor failed of, or what an event could not be made for.
 *
 * @param handler name of an export of the executor's module
 * @param signal ends the arrivals; what was submitted still gets its outcome
 */
export async function drive(
  executor: Executor,
  plan: Plan,
  { handler, measurements, signal }: { handler: string; measurements: Measurements; signal: AbortSignal },
): Promise<void> {
  const make = eventMaker(plan);
  const taskOf = (arrival: Arrival): NewTask => ({
    id: eventIdOf(arrival),
    handler,
    input: encode(make(arrival), 'the event'),
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
  });
  const failing = new AbortController();
  const fail = (error: Error) => failing.abort(error);
  const settled = (outcome: Outcome) => measurements.settled(outcome);
  executor.on('recorded', settled).once('failed', fail);
  const ending = AbortSignal.any([signal, failing.signal]);
  measurements.begin();
  try {
    for await (const arrivals of paced(planArrivals(plan), { start: performance.now(), signal: ending })) {
      const tasks = arrivals.map(taskOf);
      measurements.arrived(arrivals);
      // Not awaited: arrivals do not wait for the disk.
      executor.encoded.add(tasks).catch(fail);
    }
    failing.signal.throwIfAborted();
    measurements.arrivalsEnded();
    await executor.idle();
    failing.signal.throwIfAborted();
  } finally {
    executor.off('recorded', settled).off('failed', fail);
  }
}
