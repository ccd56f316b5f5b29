/**
 * What a config file may hold: one schema, composed of the checks that the
 * options have already. Loads zod: import it with `await import()`.
 */
import { z } from 'zod';
import { DRY_RUN_CHECKS } from '../dryrun/options.js';
import { PATTERNS } from '../dryrun/patterns.js';
import { quoted } from '../base/faults.js';
import { flag, httpAddress, OPTION_CHECKS, text } from '../runtime/options.js';
import { SMOKE_CHECKS } from '../smoke/options.js';
import type { RuntimeConfig } from './runtime-config.js';
import { durationSetting, setting, sizeSetting } from './setting.js';

const checks = OPTION_CHECKS;
const dryChecks = DRY_RUN_CHECKS;
const smokeChecks = SMOKE_CHECKS;
const backoff = checks.backoff.unwrap();

/** An object whose every key is known. */
const section = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: ({ code, input }) => {
      if (code !== 'invalid_type') return undefined;
      if (input === null) return 'is empty: give it a key, or remove it';
      return `must be an object with ${Object.keys(shape).slice(0, 3).join(', ')}, …; got ${quoted(input)}`;
    },
  });

const run = section({
  handler: setting(
    text('must be the name of an export').optional(),
    'The export for tasks that name none (default: the default or only export)',
  ),
  // What the machine offers is not the same on the next one.
  threads: setting(checks.threads.unwrap().optional(), 'Worker threads (default: what the machine offers)'),
  concurrency: setting(checks.concurrency, 'Async tasks in flight in one thread'),
  timeout: durationSetting(checks.timeout, 'For one attempt at a task (default: none)'),
  retries: setting(checks.retries, 'Tries after the first one'),
  backoff: section({
    base: durationSetting(
      backoff.shape.base,
      'The longest wait before the first retry; it doubles with each further one',
    ),
    max: durationSetting(backoff.shape.max, 'The longest wait before any retry'),
  })
    .transform((given): z.input<typeof backoff> => given)
    .pipe(backoff)
    .optional()
    .meta({ description: 'How long a task that failed waits for its retry: a random time up to these' }),
  memory: sizeSetting(
    checks.memory,
    'Limit of one thread: of its heap, and of that with its external memory (default: what Node sets)',
  ),
  memoryTotal: sizeSetting(checks.memoryTotal, 'Limit of the whole process, as the system counts (default: none)'),
  maxCrashes: setting(checks.maxCrashes, 'Crashes after which a task is given up'),
  durable: setting(checks.durable, 'Whether the queue lives on disk; else it is gone with the process'),
  supervise: setting(flag.default(true), 'Whether a supervisor starts another executor when one dies'),
  grace: durationSetting(checks.grace, 'From the abort of a task to the end of its thread'),
  recycleAfterTasks: setting(checks.recycleAfterTasks, 'A thread is replaced after so many tasks (default: never)'),
  recycleAboveMemory: sizeSetting(
    checks.recycleAboveMemory,
    'A thread is replaced when its heap and external memory are above this (default: never)',
  ),
  stallAfter: durationSetting(checks.stallAfter, 'Where a task stands that runs for so long is told'),
  failOnLeak: setting(
    flag.default(false),
    'Whether async functions or open file streams that tasks leave behind in the threads make the run fail',
  ),
  bigIntegers: setting(
    flag.default(false),
    'Whether whole numbers beyond 2^53-1 in a task file become BigInts; else they are refused',
  ),
  http: setting(httpAddress.optional(), 'Port, or host:port, that serves health and metrics (default: none)', {
    type: ['integer', 'string'],
  }),
});

const dryRun = section({
  pattern: setting(dryChecks.pattern, 'How arrivals are spread', { enum: [...PATTERNS] }),
  rate: setting(dryChecks.rate, 'Events a second, on average', { type: 'number', exclusiveMinimum: 0 }),
  duration: durationSetting(dryChecks.duration, 'How long events arrive; not with count (default: 10s)'),
  count: setting(dryChecks.count, 'How many events arrive; not with duration'),
  seed: setting(dryChecks.seed, 'The same seed makes the same events'),
  burstSize: setting(dryChecks.burstSize.unwrap().optional(), 'Events of one burst, or a range (default: 3-10)', {
    type: ['integer', 'string'],
  }),
  events: setting(dryChecks.events, 'Module with a set of events of your own (default: the trading events)'),
  account: setting(dryChecks.account, 'The account in the trading events'),
  handler: setting(
    dryChecks.handler,
    'Module, or module#export, that the events go to (default: one that checks them)',
  ),
  threads: setting(dryChecks.threads.unwrap().optional(), 'Worker threads (default: what the machine offers)'),
  concurrency: setting(dryChecks.concurrency, 'Async tasks in flight in one thread'),
  durable: setting(dryChecks.durable, 'Whether the queue lives on disk'),
});

const smokeTexts = {
  timeout: durationSetting(smokeChecks.timeout, 'For the first event to come'),
  threads: setting(smokeChecks.threads, 'Worker threads (default: what the machine offers)'),
  handler: setting(
    smokeChecks.handler,
    'Module, or module#export, that the events go to (default: one that checks them)',
  ),
};
const smokeFunctions = {
  eventSource: setting(smokeChecks.eventSource, 'Function that gives the events (default: those of a dry run)'),
  postConditions: setting(smokeChecks.postConditions.unwrap().optional(), 'Checks of your own (default: none)'),
};
const smokeMeta = { description: 'What `runtime smoke` boots, waits for and checks' };

/** What a module can hold. */
export const CONFIG_SCHEMA = section({
  dir: setting(checks.dir, 'The folder of all state, for every command (default: .runtime)'),
  run: run.optional().meta({ description: 'How `runtime run` runs tasks' }),
  dryRun: dryRun.optional().meta({ description: 'What `runtime dry-run` makes, and where it goes' }),
  smoke: section({ ...smokeTexts, ...smokeFunctions })
    .optional()
    .meta(smokeMeta),
  $schema: setting(text('must be the address of a JSON Schema').optional(), 'Where the JSON Schema of this file is'),
});
CONFIG_SCHEMA satisfies z.ZodType<unknown, RuntimeConfig>;

/** What YAML and JSON can hold: no functions. */
export const TEXT_CONFIG_SCHEMA = CONFIG_SCHEMA.extend({ smoke: section(smokeTexts).optional().meta(smokeMeta) });

/** The keys of each object in the file, by its path, as `faultsOf` wants them. */
export const CONFIG_KEYS: Record<string, readonly string[]> = {
  '': Object.keys(CONFIG_SCHEMA.shape),
  run: Object.keys(run.shape),
  'run.backoff': Object.keys(backoff.shape),
  dryRun: Object.keys(dryRun.shape),
  smoke: Object.keys({ ...smokeTexts, ...smokeFunctions }),
};
