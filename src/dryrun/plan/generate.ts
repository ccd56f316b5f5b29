import { InvalidInputError } from '../../base/errors.js';
import { mustBe } from '../../base/option-checks.js';
import { DRY_RUN_OPTIONS } from '../../options/dry-run-options.js';
import { onOff } from '../../options/kinds.js';
import type { Kind, Options } from '../../options/option.js';
import { readOptions } from '../../options/read-options.js';
import { Refusal } from '../../options/refusal.js';
import type { Duration } from '../../runtime/options.js';
import type { EventOf, EventSet } from '../events/event-set.js';
import { faultsTogether } from '../options.js';
import type { Pattern } from './patterns.js';
import { DEFAULT_PLAN } from './plan.js';
import { streamEvents } from './stream.js';
import type { tradingEvents } from '../events/trading-schemas.js';
import { checkedMakers } from '../events/user-events.js';

/** What `generateEvents` takes. */
export interface GenerateOptions<Set extends EventSet = EventSet> {
  /**
   * When events come, and of which types. `sequential`: evenly spaced, the types in turn. `random`: a Poisson
   * process, types drawn by their weights. `burst`: groups back to back, then the pause that keeps the mean
   * rate, types drawn. Default `sequential`.
   */
  pattern?: Pattern | undefined;
  /** Mean events a second, 0.001 to 1,000,000. Default 1. */
  rate?: number | undefined;
  /** A whole number from 0 to 2^32-1; the same seed gives the same events. Default 42. */
  seed?: number | undefined;
  /** Ends after so many events, 1 to 1,000,000,000. Not together with `duration`. Default: never. */
  count?: number | undefined;
  /** Ends before the first event that is planned so long after the start, or later. Default: never. */
  duration?: Duration | undefined;
  /** Events of a group of the pattern `burst`: a number, or a range such as `'3-10'`, the default. At most 10,000. */
  burstSize?: number | string | undefined;
  /** Types of events. Default: `tradingEvents`. */
  events?: Set | undefined;
  /** The account that events name. Default `DRY-RUN`. */
  account?: string | undefined;
  /** Timestamps of the system's clock. Default false: they begin at 2024-01-01T00:00:00.000Z, and follow the plan. */
  wallClock?: boolean | undefined;
  /** Whether each event comes at its planned instant. Default true; else as fast as they are taken. */
  paced?: boolean | undefined;
  /** Ends the events at once; nothing is thrown. */
  signal?: AbortSignal | undefined;
}

const { pattern, rate, seed, count, duration, burstSize, account, wallClock } = DRY_RUN_OPTIONS;

const signal: Kind<AbortSignal> = {
  read(given) {
    if (given instanceof AbortSignal) return given;
    throw new Refusal(mustBe(false, 'an AbortSignal', given)!);
  },
  takes: 'an AbortSignal',
  json: {},
};
/** It is checked with its makers. */
const events: Kind<unknown> = { read: (given) => given, takes: 'a set of events', json: {} };

const OPTIONS = {
  ...{ pattern, rate, seed, count, duration, burstSize, account, wallClock },
  events: { says: 'types of events', takes: events },
  paced: { says: 'whether each event comes at its planned instant', takes: onOff, unset: true },
  signal: { says: 'ends the events at once', takes: signal },
} as const satisfies Options;

/**
 * Events as a system under load would see them: their times are planned ahead,
 * from the seed, and do not wait for whoever takes them. Who is late is given
 * all that was due meanwhile.
 *
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` at once, with every fault; while
 * events come, `ERR_INVALID_EVENT` for one that does not match the schema of its set
 */
export function generateEvents<Set extends EventSet = typeof tradingEvents>(
  options: GenerateOptions<Set> = {},
): AsyncGenerator<EventOf<Set>, void, undefined> {
  const { values, faults } = readOptions(OPTIONS, options, 'code');
  faults.push(...faultsTogether(options));
  const events = options?.events === undefined ? DEFAULT_PLAN.events : checkedMakers(options.events, 'they');
  if (Array.isArray(events)) faults.push(...events);
  if (Array.isArray(events) || faults.length > 0) {
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'these options of generateEvents are not valid', faults);
  }
  const { paced, signal, duration: durationMs, count, ...plan } = values;
  const left = new AbortController();
  const ending = AbortSignal.any(signal ? [signal, left.signal] : [left.signal]);
  const stream = streamEvents({ ...plan, count, durationMs, events }, { paced, signal: ending });
  // A generator that waits for its next event hears of its end only after that: `Readable.from` closes it so.
  const leave = stream.return.bind(stream);
  stream.return = (value) => {
    left.abort();
    return leave(value);
  };
  return stream as AsyncGenerator<EventOf<Set>>;
}
