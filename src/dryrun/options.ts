/**
 * Every option of a dry run and its check. Loading zod takes about 30 ms: what
 * can do without checks takes `streamEvents`, with a plan made from `DEFAULT_PLAN`.
 */
import { z } from 'zod';
import type { Fault } from '../base/errors.js';
import { didYouMean, quoted } from '../base/faults.js';
import { duration, flag, OPTION_CHECKS, text, whole } from '../runtime/options.js';
import { formatCount } from '../base/units.js';
import { PATTERNS, type BurstSize, type Pattern } from './patterns.js';
import { DEFAULT_PLAN } from './plan.js';

const MIN_RATE = 0.001;
const MAX_RATE = 1_000_000;
const MAX_COUNT = 1_000_000_000;
const MAX_SEED = 2 ** 32 - 1;
const MAX_BURST = 10_000;

const isPattern = (value: unknown): value is Pattern => (PATTERNS as readonly unknown[]).includes(value);

const pattern = z.custom<Pattern>(isPattern, {
  error: ({ input }) =>
    `must be sequential, random or burst, got ${quoted(input)}${typeof input === 'string' ? didYouMean(input, PATTERNS) : ''}`,
});

const rate = z.custom<number>((value) => typeof value === 'number' && value >= MIN_RATE && value <= MAX_RATE, {
  error: ({ input }) => `must be events a second, from ${MIN_RATE} to ${formatCount(MAX_RATE)}, got ${quoted(input)}`,
});

const burstSize = z.custom<string | number>().transform((value, context): BurstSize => {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
  const [, min, max = min] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text) ?? [];
  const size = { min: Number(min), max: Number(max) };
  if (size.min >= 1 && size.min <= size.max && size.max <= MAX_BURST) return size;
  const most = formatCount(MAX_BURST);
  context.addIssue(`must be one size or a range such as 3-10, from 1 to ${most}, got ${quoted(value)}`);
  return z.NEVER;
});

/** One schema an option, as the command and the config file know them. */
export const DRY_RUN_CHECKS = {
  pattern: pattern.default(DEFAULT_PLAN.pattern),
  rate: rate.default(DEFAULT_PLAN.rate),
  duration: duration(1).optional(),
  count: whole(1, MAX_COUNT).optional(),
  seed: whole(0, MAX_SEED).default(DEFAULT_PLAN.seed),
  burstSize: burstSize.default(DEFAULT_PLAN.burstSize),
  /** A module that exports a set of events. */
  events: text('must be the path of a module').optional(),
  account: text('must be the name of an account').default(DEFAULT_PLAN.account),
  /** `file`, or `file#export`. */
  handler: text('must be the path of a module').optional(),
  threads: OPTION_CHECKS.threads,
  concurrency: OPTION_CHECKS.concurrency,
  durable: OPTION_CHECKS.durable,
  wallClock: flag.default(DEFAULT_PLAN.wallClock),
};

/** The variables of the environment that stand behind options. */
export const DRY_RUN_ENV = {
  pattern: 'DRY_RUN_PATTERN',
  rate: 'DRY_RUN_RATE',
  seed: 'DRY_RUN_SEED',
  account: 'DRY_RUN_ACCOUNT',
} as const satisfies Partial<Record<keyof typeof DRY_RUN_CHECKS, string>>;

/** What is wrong with options only in company. */
export function faultsTogether(given: { count?: unknown; duration?: unknown } | null): Fault[] {
  if (given?.count === undefined || given.duration === undefined) return [];
  return [{ where: 'count and duration', problem: 'a dry run ends by one of them' }];
}
