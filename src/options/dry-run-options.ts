/** Every option of `runtime dry-run`, and of the section `dryRun` of a config file: a row each. */
import { quoted } from '../base/faults.js';
import { formatCount } from '../base/units.js';
import { COLOR, CONCURRENCY, CONFIG, DIR, DURABLE, THREADS } from './common-options.js';
import { amount, duration, onOff, oneOf, runId, text, whole } from './kinds.js';
import type { Kind, Options } from './option.js';
import { Refusal } from './refusal.js';

export const PATTERNS = ['sequential', 'random', 'burst'] as const;

const MAX_BURST = 10_000;

const burstSize: Kind<{ min: number; max: number }, number | string> = {
  read(given) {
    const range = typeof given === 'number' ? String(given) : typeof given === 'string' ? given : '';
    const [, min, max = min] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range) ?? [];
    const size = { min: Number(min), max: Number(max) };
    if (size.min >= 1 && size.min <= size.max && size.max <= MAX_BURST) return size;
    const most = formatCount(MAX_BURST);
    throw new Refusal(`must be one size or a range such as 3-10, from 1 to ${most}, got ${quoted(given)}`);
  },
  takes: `1 to ${formatCount(MAX_BURST)}, or a text such as \`3-10\``,
  json: { type: ['integer', 'string'] },
};

/** In the order of the help. */
export const DRY_RUN_OPTIONS = {
  pattern: {
    says: 'how arrivals are spread: sequential, random or burst',
    takes: oneOf(PATTERNS),
    unset: 'sequential',
    flag: '--pattern <pattern>',
    group: 'Events:',
    variable: 'DRY_RUN_PATTERN',
    config: true,
  },
  rate: {
    says: 'mean events a second, 0.001 to 1000000',
    takes: amount('events a second', 0.001, 1_000_000),
    unset: 1,
    flag: '--rate <n>',
    variable: 'DRY_RUN_RATE',
    config: true,
  },
  duration: {
    says: 'for how long events arrive',
    takes: duration(1),
    unsetSays: '10s',
    flag: '--duration <duration>',
    config: true,
  },
  count: {
    says: 'how many events arrive, instead of for how long',
    takes: whole(1, 1_000_000_000),
    flag: '--count <n>',
    config: true,
  },
  seed: {
    says: 'the same seed gives the same events',
    takes: whole(0, 2 ** 32 - 1),
    unset: 42,
    flag: '--seed <n>',
    variable: 'DRY_RUN_SEED',
    config: true,
  },
  burstSize: {
    says: 'events of a burst, a number or a range',
    takes: burstSize,
    unset: '3-10',
    flag: '--burst-size <n>',
    config: true,
  },
  events: {
    says: 'module with a set of events of your own',
    takes: text('must be the path of a module', 'path', 'file'),
    unsetSays: 'trades, orders, positions',
    flag: '--events <file>',
    config: true,
  },
  account: {
    says: 'the account that the events name',
    takes: text('must be the name of an account', 'text'),
    unset: 'DRY-RUN',
    flag: '--account <name>',
    variable: 'DRY_RUN_ACCOUNT',
    config: true,
  },
  wallClock: {
    says: "timestamps of the system's clock, not of the plan",
    takes: onOff,
    unset: false,
    flag: '--wall-clock',
  },

  emit: {
    says: 'events to standard output, as NDJSON: as fast as it is read, with --wall-clock as planned',
    takes: onOff,
    unset: false,
    flag: '--emit',
    group: 'Where they go:',
  },
  handler: {
    says: 'module, or module#export, that the events go to',
    takes: text('must be the path of a module', 'path', 'file'),
    unsetSays: 'one that checks whether they are whole',
    flag: '--handler <file[#export]>',
    config: true,
  },
  threads: THREADS,
  concurrency: CONCURRENCY,
  durable: DURABLE,
  runId: {
    says: 'names the state on disk, which each dry run starts over',
    takes: runId,
    unset: 'dry-run',
    flag: '--run-id <id>',
  },
  dir: DIR,
  config: CONFIG,

  json: { says: 'print the report as JSON', takes: onOff, unset: false, flag: '--json', group: 'Output:' },
  quiet: { says: 'no progress, no report; errors only', takes: onOff, unset: false, flag: '--quiet' },
  color: COLOR,
} as const satisfies Options;
