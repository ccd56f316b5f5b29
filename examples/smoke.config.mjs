/**
 * A smoke test with events and post-conditions of its own:
 *
 *   runtime smoke --config examples/smoke.config.mjs
 *
 * In a project this is the section `smoke` of `runtime.config.ts` (or .js);
 * `defineConfig` from 'holdfast' then tells editors every key.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Orders, as they would come from a queue elsewhere. It ends when the test has enough, and aborts the signal. */
async function* orders(signal) {
  for (let order = 1; !signal.aborted; order++) {
    yield { order, prices: [order, 2.5] };
    await sleep(5, undefined, { signal }).catch(() => {});
  }
}

export default {
  smoke: {
    timeout: '5s',
    threads: 2,
    handler: './orders.mjs#invoice',
    eventSource: orders,
    postConditions: [
      {
        name: 'totals',
        expected: 'of each order the sum of its prices',
        check({ events }) {
          const right = events.filter(({ event, told }) => told?.result.total === event.order + 2.5);
          return { ok: right.length === events.length, actual: `${right.length} of ${events.length} right` };
        },
      },
      {
        name: 'speed',
        severity: 'warn',
        expected: 'each order within 50 ms',
        check({ outcomes }) {
          const slowest = Math.max(...outcomes.map(({ durationMs }) => durationMs));
          return { ok: slowest <= 50, actual: `the slowest took ${slowest.toFixed(2)} ms` };
        },
      },
    ],
  },
};
