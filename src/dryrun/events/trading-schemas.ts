import { z } from 'zod';
import { defineEvents } from './event-set.js';
import { ORDER_STATES, ORDER_TYPES, SIDES, SYMBOLS, TRADING_MAKERS } from './trading-events.js';

const money = z.number().multipleOf(0.01);
const instrument = {
  symbol: z.enum(SYMBOLS),
  quantity: z.int().positive(),
  account: z.string().min(1),
};

const trade = z.strictObject({ ...instrument, price: money.positive(), side: z.enum(SIDES) });
const order = z.strictObject({
  ...trade.shape,
  orderType: z.enum(ORDER_TYPES),
  status: z.enum(ORDER_STATES),
});
const position = z.strictObject({ ...instrument, averagePrice: money.positive(), profit: money });

/** The set of events that is taken where none is given: `trade`, `order` and `position`. */
export const tradingEvents = defineEvents({
  trade: { ...TRADING_MAKERS.trade, schema: trade },
  order: { ...TRADING_MAKERS.order, schema: order },
  position: { ...TRADING_MAKERS.position, schema: position },
});
