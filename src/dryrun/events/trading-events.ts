/**
 * The built-in set: what a trading system sees. Its schemas are in
 * `trading-schemas.ts`, so that events can be made without loading zod; that
 * what is made here matches them is held by tests, not checked at each event.
 */
import type { About, Draw, EventMaker } from './event-set.js';

export const SYMBOLS = ['AAPL', 'MSFT', 'GOOG', 'AMZN', 'NVDA'] as const;
export const SIDES = ['BUY', 'SELL'] as const;
export const ORDER_TYPES = ['MARKET', 'LIMIT', 'STOP'] as const;
export const ORDER_STATES = ['PENDING', 'FILLED', 'CANCELLED', 'REJECTED'] as const;

/** What trades, orders and positions have in common. */
export interface Instrument {
  symbol: (typeof SYMBOLS)[number];
  /** Shares, a whole number from 1. */
  quantity: number;
  account: string;
}

/** The fields of a trade that are its own. */
export interface Trade extends Instrument {
  /** Dollars a share, with cents; above 0. */
  price: number;
  side: (typeof SIDES)[number];
}

/** The fields of an order that are its own. */
export interface Order extends Trade {
  orderType: (typeof ORDER_TYPES)[number];
  status: (typeof ORDER_STATES)[number];
}

/** The fields of a position that are its own. */
export interface Position extends Instrument {
  /** Dollars a share, with cents; above 0. */
  averagePrice: number;
  /** Dollars, with cents; below 0 for a loss. */
  profit: number;
}

/** Dollars around which the prices of a symbol are drawn. */
const PRICES: Record<Instrument['symbol'], number> = { AAPL: 230, MSFT: 420, GOOG: 175, AMZN: 200, NVDA: 140 };
const PRICE_SPREAD = 0.02;
const MAX_QUANTITY = 1_000;
const MAX_PROFIT = 5_000;

export const TRADING_MAKERS = {
  trade: { weight: 5, make: makeTrade },
  order: { weight: 3, make: makeOrder },
  position: { weight: 2, make: makePosition },
} satisfies Record<string, EventMaker>;

function makeTrade(draw: Draw, n: number, { account }: About): Trade {
  const symbol = symbolOf(n);
  return {
    symbol,
    quantity: draw.whole(1, MAX_QUANTITY),
    price: priceOf(symbol, draw),
    side: draw.pick(SIDES),
    account,
  };
}

function makeOrder(draw: Draw, n: number, about: About): Order {
  const { symbol, quantity, price, side, account } = makeTrade(draw, n, about);
  return { symbol, quantity, price, side, orderType: draw.pick(ORDER_TYPES), status: draw.pick(ORDER_STATES), account };
}

function makePosition(draw: Draw, n: number, { account }: About): Position {
  const symbol = symbolOf(n);
  return {
    symbol,
    quantity: draw.whole(1, MAX_QUANTITY),
    averagePrice: priceOf(symbol, draw),
    profit: cents((2 * draw.float() - 1) * MAX_PROFIT),
    account,
  };
}

/** In turn. */
function symbolOf(n: number): Instrument['symbol'] {
  return SYMBOLS[(n - 1) % SYMBOLS.length]!;
}

function priceOf(symbol: Instrument['symbol'], draw: Draw): number {
  return cents(PRICES[symbol] * (1 + PRICE_SPREAD * (2 * draw.float() - 1)));
}

function cents(dollars: number): number {
  // Adding 0 makes 0 of -0, which JSON does not hold.
  return Math.round(dollars * 100) / 100 + 0;
}
