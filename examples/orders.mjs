/**
 * Handlers for `examples/tasks.ndjson`, whose lines name them:
 *
 *   runtime run examples/orders.mjs --tasks examples/tasks.ndjson --results -
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Sums up an order. Priorities of the task file decide what goes first. */
export function invoice({ order, prices }) {
  return { order, total: prices.reduce((sum, price) => sum + price, 0) };
}

/**
 * Fails at its first attempt, as remote services do; `retries` gives it
 * another one, after a random wait. A task may run more than once, so whatever
 * it does elsewhere should bear that: here an idempotency key sees to it.
 */
export async function charge({ order }, { attempt, taskId, log }) {
  await sleep(10);
  if (attempt === 1) throw Object.assign(new Error('the payment service is busy'), { code: 'EBUSY' });
  log.info('charged', { order, attempt });
  return { order, idempotencyKey: taskId };
}

/** Takes longer than its `timeout` allows: the signal is aborted, and the task ends `timed-out`. */
export async function report({ days }, { signal, progress }) {
  for (let day = 1; day <= days; day++) {
    await sleep(100, undefined, { signal });
    progress(day, days);
  }
  return { days };
}
