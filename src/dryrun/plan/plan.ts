import type { EventMaker } from '../events/event-set.js';
import type { Shape } from './patterns.js';
import { TRADING_MAKERS } from '../events/trading-events.js';

/** A dry run, with every default in place. From the same plan come the same events. */
export interface Plan extends Shape {
  /** A whole number from 0 to 2^32-1. */
  seed: number;
  /** How many events; `undefined`: as many as fall into the duration. */
  count: number | undefined;
  /** How long, in ms; `undefined`: until the count is reached. Without both, it has no end. */
  durationMs: number | undefined;
  /** By type. */
  events: Readonly<Record<string, EventMaker>>;
  account: string;
  /** Whether timestamps are those of the system's clock; else they start at a fixed instant, and follow the plan. */
  wallClock: boolean;
}

export const DEFAULT_PLAN: Plan = {
  pattern: 'sequential',
  rate: 1,
  burstSize: { min: 3, max: 10 },
  seed: 42,
  count: undefined,
  durationMs: undefined,
  events: TRADING_MAKERS,
  account: 'DRY-RUN',
  wallClock: false,
};
