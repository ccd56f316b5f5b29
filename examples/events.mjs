// @ts-check
/**
 * A set of events of one's own, and what takes them:
 *
 *   runtime dry-run --events examples/events.mjs --handler examples/events.mjs#take --pattern random --rate 200
 */
import { defineEvents } from 'holdfast';
import { z } from 'zod';

const COUNTRIES = ['DE', 'FR', 'JP', 'US'];

const login = z.object({ user: z.string(), country: z.enum(COUNTRIES) });
const payment = z.object({ user: z.string(), cents: z.int().positive() });

export const events = defineEvents({
  // Drawn four times as often as payments.
  login: {
    weight: 4,
    schema: login,
    make: (draw) => ({ user: userOf(draw), country: draw.pick(COUNTRIES) }),
  },
  payment: {
    schema: payment,
    make: (draw) => ({ user: userOf(draw), cents: draw.whole(1, 20_000) }),
  },
});

/** @param {import('holdfast').EventOf<typeof events>} event its `type` tells what else it has */
export function take(event) {
  return event.type === 'payment' ? { charged: event.cents } : { greeted: event.user };
}

/** @param {import('holdfast').Draw} draw all that is random comes from here, so that a seed gives the same events again */
function userOf(draw) {
  return `user-${draw.whole(1, 500)}`;
}
