/**
 * What `createExecutor` takes, and what comes of it. Each option has its check,
 * its default and its flag in `options/run-options.ts`.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidInputError, type Fault } from '../base/errors.js';
import { isUrl } from '../options/kinds.js';
import { having, type GivenFor, type SameKeys, type ValuesOf } from '../options/option.js';
import { readOptions } from '../options/read-options.js';
import { RUN_OPTIONS } from '../options/run-options.js';

/** Milliseconds, or a text with a unit: `500ms`, `2s`, `5m`, `1h`, `1d`. At most 24.8 days. */
export type Duration = number | string;

/** Bytes, or a text with a unit of 1024: `512KB`, `128MB`, `2GB`. */
export type Size = number | string;

/** What `createExecutor` takes. */
export interface ExecutorOptions {
  /** Names the run and its state on disk: 1 to 128 letters, digits, `.`, `_`, `-`, the first a letter or digit. */
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
   * its external memory (buffers and the like), which is checked between tasks
   * and, while they await, every 25 ms. A task that exceeds it ends `crashed`. Default: what Node sets for the heap.
   */
  memory?: Size | undefined;
  /**
   * Limit of the whole process, as the system counts (RSS), from `16MB`. Above it no task is taken, and
   * threads are replaced as they become idle; if that does not help, the executor fails with `ERR_MEMORY_TOTAL`. Default: none.
   */
  memoryTotal?: Size | undefined;
  /**
   * At most so many tasks start within any period of that length, in all threads together, retries included: `50/s`,
   * `600/m`, `5/10s`. 1 to 1,000,000 tasks. An executor that takes over counts anew. Default: no limit.
   */
  rate?: string | undefined;
  /** The shortest time from the start of a task to that of the next one, in all threads together. Default 0. */
  delay?: Duration | undefined;
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
  /** The event `tasks-stuck` reports where a task is that has been running for this long. Default `30s`. */
  stallAfter?: Duration | undefined;
  /**
   * Whether other processes of this user reach it through a socket in the run's folder: `runtime status`,
   * `pause`, `resume`, `drain` and the others that steer a run. Default false.
   */
  steerable?: boolean | undefined;
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
  rate: { tasks: number; periodMs: number } | undefined;
  delayMs: number;
  memoryBytes: number | undefined;
  memoryTotalBytes: number | undefined;
  maxCrashes: number;
  durable: boolean;
  graceMs: number;
  recycleAfterTasks: number | undefined;
  recycleAboveBytes: number | undefined;
  stallAfterMs: number;
  steerable: boolean;
}

/** What relative paths and defaults depend on. */
export interface Surroundings {
  cwd: string;
  env: Record<string, string | undefined>;
}

const here = (): Surroundings => ({ cwd: process.cwd(), env: process.env });

/** The rows of the options that `createExecutor` takes. */
export const EXECUTOR_OPTIONS = having('executor', RUN_OPTIONS);
type Given = GivenFor<typeof EXECUTOR_OPTIONS>;
// The interface above is what people read; here the compiler holds it against the table.
({}) as Given satisfies ExecutorOptions;
({}) as ExecutorOptions satisfies Given;
true satisfies SameKeys<ExecutorOptions, Given>;

/**
 * Checks the options of `createExecutor` and fills in the defaults.
 *
 * @throws InvalidInputError with every fault, `ERR_INVALID_OPTIONS`, or
 * `ERR_INVALID_RUN_ID` if the run id alone is at fault.
 */
export function resolveOptions(input: ExecutorOptions, around: Surroundings = here()): ResolvedOptions {
  const { values, faults: found } = readOptions(EXECUTOR_OPTIONS, input, 'code');
  if (found.length > 0) {
    const faults = found.map(({ where, problem }) => ({ where: where || 'options', problem }));
    throw new InvalidInputError(codeOf(faults), 'these options of the executor are not valid', faults);
  }
  return resolved(values, around);
}

/** Of values that were read from the table, those of an executor. */
export function resolved(values: ValuesOf<typeof EXECUTOR_OPTIONS>, around: Surroundings = here()): ResolvedOptions {
  return {
    runId: values.runId,
    handlers: (isUrl(values.handlers) ? new URL(values.handlers) : pathToFileURL(resolve(around.cwd, values.handlers)))
      .href,
    // An empty RUNTIME_DIR is what `RUNTIME_DIR= command` sets: as good as none.
    dir: resolve(around.cwd, values.dir ?? (around.env['RUNTIME_DIR'] || '.runtime')),
    threads: values.threads,
    concurrency: values.concurrency,
    timeoutMs: values.timeout,
    retries: values.retries,
    backoff: { baseMs: values.backoff.base, maxMs: values.backoff.max },
    rate: values.rate,
    delayMs: values.delay,
    memoryBytes: values.memory,
    memoryTotalBytes: values.memoryTotal,
    maxCrashes: values.maxCrashes,
    durable: values.durable,
    graceMs: values.grace,
    recycleAfterTasks: values.recycleAfterTasks,
    recycleAboveBytes: values.recycleAboveMemory,
    stallAfterMs: values.stallAfter,
    steerable: values.steerable,
  };
}

export function codeOf(faults: readonly Fault[]): 'ERR_INVALID_OPTIONS' | 'ERR_INVALID_RUN_ID' {
  return faults.length > 0 && faults.every((fault) => fault.where === 'runId')
    ? 'ERR_INVALID_RUN_ID'
    : 'ERR_INVALID_OPTIONS';
}
