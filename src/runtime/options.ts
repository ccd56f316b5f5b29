/**
 * Every option of an executor, its default and its check, in one place. The
 * flags of `runtime run` are read in `cli/run-flags.ts`, with these checks.
 *
 * Loading zod takes about 30 ms, so import this file with `await import()`
 * where a command can do without it.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InvalidInputError, type Fault } from '../base/errors.js';
import { faultsOf, quoted } from '../base/faults.js';
import { parseHttpAddress, type HttpAddress } from './health/http-address.js';
import { RUN_ID } from '../system/state-dir.js';
import { formatDuration, formatSize, MAX_DURATION_MS, parseDuration, parseSize } from '../base/units.js';

/** Milliseconds, or a text with a unit: `500ms`, `2s`, `5m`, `1h`, `1d`. At most 24.8 days. */
export type Duration = number | string;

/** Bytes, or a text with a unit of 1024: `512KB`, `128MB`, `2GB`. */
export type Size = number | string;

/** What `createExecutor` takes. */
export interface ExecutorOptions {
  /** Names the run and its state on disk: a letter or digit, then at most 127 of letters, digits, `.`, `_`, `-`. */
  runId: string;
  /** The module that exports the handlers: a path from the working directory, or a `file:` URL. */
  handlers: string | URL;
  /** The folder of all state. Default: `RUNTIME_DIR` of the environment, else `.runtime`. */
  dir?: string | undefined;
  /** Worker threads, 1 to 1024. Default: what the machine offers (`os.availableParallelism()`). */
  threads?: number | undefined;
  /** Async tasks in flight in one thread, 1 to 100,000. Default 1. */
  concurrency?: number | undefined;
  /** For one attempt at a task, from its start. Default: none. */
  timeout?: Duration | undefined;
  /** Tries after the first one, 0 to 1000. Default 0. */
  retries?: number | undefined;
  /**
   * The wait before retry n is a random time from 0 to `min(max, base * 2^(n-1))`
   * (full jitter). Defaults: base `1s`, max `1m`.
   */
  backoff?: { base?: Duration | undefined; max?: Duration | undefined } | undefined;
  /**
   * Limit of one thread, from `16MB`: of its V8 heap, and of that together with
   * its external memory (buffers and the like), which is looked at between tasks
   * and, while they await, every 25 ms. A task that bursts it ends `crashed`. Default: what Node sets for the heap.
   */
  memory?: Size | undefined;
  /**
   * Limit of the whole process, as the system counts (RSS), from `16MB`. Above it no task is taken, and
   * threads are replaced as they become idle; if that does not help, the executor fails with `ERR_MEMORY_TOTAL`. Default: none.
   */
  memoryTotal?: Size | undefined;
  /** Crashes after which a task is recorded as `crashed`, 1 to 1000. Default 3. */
  maxCrashes?: number | undefined;
  /** Whether the queue lives on disk; else it is gone with the process. Default true. */
  durable?: boolean | undefined;
  /** From the abort of `context.signal` to the end of the thread. Default `2s`. */
  grace?: Duration | undefined;
  /** A thread is replaced once it has run this many tasks. Default: never. */
  recycleAfterTasks?: number | undefined;
  /** A thread is replaced once its heap and its external memory are above this between two tasks. Default: never. */
  recycleAboveMemory?: Size | undefined;
  /** A task that runs for this long is looked at, and where it stands is told as an event. Default `30s`. */
  stallAfter?: Duration | undefined;
}

/** The options of an executor, checked, with every default in place. Plain data: it can be sent to a child as JSON. */
export interface ResolvedOptions {
  runId: string;
  /** `file:` URL. */
  handlers: string;
  /** Absolute path. */
  dir: string;
  threads: number;
  concurrency: number;
  timeoutMs: number | undefined;
  retries: number;
  backoff: { baseMs: number; maxMs: number };
  memoryBytes: number | undefined;
  memoryTotalBytes: number | undefined;
  maxCrashes: number;
  durable: boolean;
  graceMs: number;
  recycleAfterTasks: number | undefined;
  recycleAboveBytes: number | undefined;
  stallAfterMs: number;
}

/** What relative paths and defaults depend on. */
export interface Surroundings {
  cwd: string;
  env: Record<string, string | undefined>;
}

const here = (): Surroundings => ({ cwd: process.cwd(), env: process.env });

/** With less, a thread of Node 20 dies before it has loaded anything (4 MB does, 8 MB does not). */
const MIN_HEAP_BYTES = 16 * 1024 ** 2;
const MAX_HEAP_BYTES = 1024 ** 4;

export const whole = (min: number, max: number): z.ZodType<number, number> =>
  z
    .custom<number>((value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max, {
      error: (issue) => `must be a whole number from ${min} to ${max}, got ${quoted(issue.input)}`,
    })
    // For the JSON Schema of the config file, which cannot look into the function.
    .meta({ type: 'integer', minimum: min, maximum: max });

export const text = (error: string): z.ZodType<string, string> => z.string({ error }).min(1, { error });

export const flag = z.boolean({ error: (issue) => `must be true or false, got ${quoted(issue.input)}` });

/** For numbers that come as text, from a command line or the environment; what is no number is left for `check` to refuse. */
export const numeral = <Check extends z.ZodType>(check: Check) =>
  z.preprocess((value) => (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value), check);

/** A number, or a text that `parse` turns into one. */
const measured = (
  parse: (text: string) => number,
  show: (value: number) => string,
  [min, max]: [number, number],
): z.ZodType<number, number | string> =>
  z.custom<number | string>().transform((value, context) => {
    try {
      const amount = typeof value === 'string' ? parse(value) : value;
      if (typeof amount === 'number' && amount >= min && amount <= max) return Math.ceil(amount);
      context.addIssue(`must be ${show(min)} to ${show(max)}, got ${quoted(value)}`);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
    return z.NEVER;
  });

export const duration = (min: number) => measured(parseDuration, formatDuration, [min, MAX_DURATION_MS]);

/** Where a number would be read as seconds by one and as milliseconds by another: a text alone. */
export const withUnit = (examples: string, check: z.ZodType<number, number | string>): z.ZodType<number, string> =>
  z
    .string({ error: (issue) => `must be a string with a unit, such as ${examples}, got ${quoted(issue.input)}` })
    .transform((given): number | string => given)
    .pipe(check);

const heapSize = measured(parseSize, formatSize, [MIN_HEAP_BYTES, MAX_HEAP_BYTES]);

const backoff = z
  .strictObject(
    { base: duration(0).default(1_000), max: duration(0).default(60_000) },
    { error: (issue) => (issue.code === 'invalid_type' ? 'must be an object { base, max }' : undefined) },
  )
  .refine(({ base, max }) => base <= max, {
    error: (issue) => {
      const { base, max } = issue.input as { base: number; max: number };
      return `base (${formatDuration(base)}) is longer than max (${formatDuration(max)})`;
    },
  });

/** Where health and metrics are served: a port, or a text as `parseHttpAddress` takes it. */
export const httpAddress: z.ZodType<HttpAddress, number | string> = z
  .custom<number | string>()
  .transform((value, context) => {
    try {
      return parseHttpAddress(value);
    } catch (error) {
      context.addIssue((error as Error).message);
      return z.NEVER;
    }
  });

/** One schema an option. */
export const OPTION_CHECKS = {
  runId: z.string({ error: (issue) => `must be a string, got ${quoted(issue.input)}` }).regex(RUN_ID, {
    error: (issue) => `must be a letter or digit, then at most 127 of letters, digits, ._-, got ${quoted(issue.input)}`,
  }),
  handlers: z
    .union([text('must be a path'), z.instanceof(URL)], { error: 'must be a path or a file: URL' })
    .refine((module) => !isUrl(module) || (URL.canParse(String(module)) && new URL(module).protocol === 'file:'), {
      error: (issue) => `must be a path or a file: URL, got ${quoted(issue.input)}`,
    }),
  dir: text('must be the path of a folder').optional(),
  threads: whole(1, 1024).default(availableParallelism),
  concurrency: whole(1, 100_000).default(1),
  timeout: duration(1).optional(),
  retries: whole(0, 1000).default(0),
  backoff: backoff.prefault({}),
  memory: heapSize.optional(),
  memoryTotal: heapSize.optional(),
  maxCrashes: whole(1, 1000).default(3),
  durable: flag.default(true),
  grace: duration(0).default(2_000),
  recycleAfterTasks: whole(1, Number.MAX_SAFE_INTEGER).optional(),
  recycleAboveMemory: heapSize.optional(),
  stallAfter: duration(1).default(30_000),
};

const schema = z.strictObject(OPTION_CHECKS, {
  error: (issue) => (issue.code === 'invalid_type' ? `must be an object, got ${quoted(issue.input)}` : undefined),
});
// The interface above is what people read; here the compiler holds it against what is checked.
schema satisfies z.ZodType<unknown, ExecutorOptions>;

const KNOWN_KEYS = { '': Object.keys(OPTION_CHECKS), backoff: ['base', 'max'] };

/**
 * Checks the options of `createExecutor` and fills in the defaults.
 *
 * @throws InvalidInputError with every fault, `ERR_INVALID_OPTIONS`, or
 * `ERR_INVALID_RUN_ID` if the run id alone is at fault.
 */
export function resolveOptions(input: ExecutorOptions, around: Surroundings = here()): ResolvedOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const faults = faultsOf(parsed.error.issues, KNOWN_KEYS).map(({ where, problem }) => ({
      where: where || 'options',
      problem,
    }));
    throw new InvalidInputError(codeOf(faults), 'these options of the executor are not valid', faults);
  }
  const values = parsed.data;
  return {
    runId: values.runId,
    handlers: (isUrl(values.handlers)
      ? new URL(values.handlers)
      : pathToFileURL(resolve(around.cwd, values.handlers as string))
    ).href,
    // An empty RUNTIME_DIR is what `RUNTIME_DIR= command` sets: as good as none.
    dir: resolve(around.cwd, values.dir ?? (around.env['RUNTIME_DIR'] || '.runtime')),
    threads: values.threads,
    concurrency: values.concurrency,
    timeoutMs: values.timeout,
    retries: values.retries,
    backoff: { baseMs: values.backoff.base, maxMs: values.backoff.max },
    memoryBytes: values.memory,
    memoryTotalBytes: values.memoryTotal,
    maxCrashes: values.maxCrashes,
    durable: values.durable,
    graceMs: values.grace,
    recycleAfterTasks: values.recycleAfterTasks,
    recycleAboveBytes: values.recycleAboveMemory,
    stallAfterMs: values.stallAfter,
  };
}

const isUrl = (module: string | URL) => module instanceof URL || /^(file:|[a-z][a-z0-9+.-]*:\/\/)/i.test(module);

export function codeOf(faults: readonly Fault[]): 'ERR_INVALID_OPTIONS' | 'ERR_INVALID_RUN_ID' {
  return faults.length > 0 && faults.every((fault) => fault.where === 'runId')
    ? 'ERR_INVALID_RUN_ID'
    : 'ERR_INVALID_OPTIONS';
}
