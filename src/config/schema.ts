/**
 * What a config file may hold: one schema, composed of the checks that the
 * options have already. Loads zod: import it with `await import()`.
 */
import { z } from 'zod';
import { quoted } from '../runtime/faults.js';
import { flag, OPTION_CHECKS, text } from '../runtime/options.js';
import type { RuntimeConfig } from './runtime-config.js';
import { durationSetting, setting, sizeSetting } from './setting.js';

const checks = OPTION_CHECKS;
const backoff = checks.backoff.unwrap();

/** An object whose every key is known. */
const section = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: ({ code, input }) => {
      if (code !== 'invalid_type') return undefined;
      if (input === null) return 'is empty: give it a key, or remove it';
      return `wants an object with ${Object.keys(shape).slice(0, 3).join(', ')}, …; got ${quoted(input)}`;
    },
  });

const run = section({
  handler: setting(
    text('wants the name of an export').optional(),
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
  memory: sizeSetting(checks.memory, 'Heap limit of one thread (default: what Node sets)'),
  maxCrashes: setting(checks.maxCrashes, 'Crashes after which a task is given up'),
  durable: setting(checks.durable, 'Whether the queue lives on disk; else it is gone with the process'),
  supervise: setting(flag.default(true), 'Whether a supervisor starts another executor when one dies'),
  grace: durationSetting(checks.grace, 'From the abort of a task to the end of its thread'),
  recycleAfterTasks: setting(checks.recycleAfterTasks, 'A thread is replaced after so many tasks (default: never)'),
  recycleAboveMemory: sizeSetting(
    checks.recycleAboveMemory,
    'A thread is replaced when its heap is above this (default: never)',
  ),
  stallAfter: durationSetting(checks.stallAfter, 'A thread with work that is silent for so long is warned of'),
});

const sections = {
  run: run.optional().meta({ description: 'How `runtime run` runs tasks' }),
};

export const CONFIG_SCHEMA = section({
  dir: setting(checks.dir, 'The folder of all state, for every command (default: .runtime)'),
  ...sections,
  $schema: setting(
    text('wants the address of a JSON Schema').optional(),
    'Where the JSON Schema of this file is, for editors',
  ),
});
CONFIG_SCHEMA satisfies z.ZodType<unknown, RuntimeConfig>;

/** The keys of each object in the file, by its path, as `faultsOf` wants them. */
export const CONFIG_KEYS: Record<string, readonly string[]> = {
  '': Object.keys(CONFIG_SCHEMA.shape),
  run: Object.keys(run.shape),
  'run.backoff': Object.keys(backoff.shape),
};
