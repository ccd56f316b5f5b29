/** What a config file may hold: types only. `schema.ts` checks it; the compiler holds the two together. */
import type { Pattern } from '../dryrun/plan/patterns.js';
import type { EventSource } from '../smoke/event-source.js';
import type { PostCondition } from '../smoke/post-conditions.js';

/** A text with a unit: `500ms`, `2s`, `5m`, `1h`, `1d`. At most 24.8 days. */
export type DurationText = string;

/** A text with a unit of 1024: `512KB`, `128MB`, `2GB`. */
export type SizeText = string;

/**
 * The content of `runtime.config.ts` (or `.js`, `.json`, `.yaml`). Every key may
 * be absent. A flag, and an environment variable, stand above what is here;
 * what is nowhere has the default of the command. Relative paths start at the
 * folder of the file.
 */
export interface RuntimeConfig {
  /** For editors: where the JSON Schema of this file is. Not read. */
  $schema?: string | undefined;
  /** The folder of all state, for every command. Default `.runtime`. */
  dir?: string | undefined;
  /** For `runtime run`. */
  run?: RunConfig | undefined;
  /** For `runtime dry-run`. */
  dryRun?: DryRunConfig | undefined;
  /** For `runtime smoke`. */
  smoke?: SmokeConfig | undefined;
}

/** How `runtime run` runs tasks. Which tasks, and of which module, is said with the command. */
export interface RunConfig {
  /** The export for tasks that name none. Default: the default or only export. */
  handler?: string | undefined;
  /** Worker threads, 1 to 1024. Default: what the machine offers. */
  threads?: number | undefined;
  /** Async tasks in flight in one thread, 1 to 100,000. Default 1. */
  concurrency?: number | undefined;
  /** For one attempt at a task. Default: none. */
  timeout?: DurationText | undefined;
  /** Tries after the first one, 0 to 1000. Default 0. */
  retries?: number | undefined;
  /** The wait before retry n is a random time from 0 to `min(max, base * 2^(n-1))`. Defaults: base `1s`, max `1m`. */
  backoff?: { base?: DurationText | undefined; max?: DurationText | undefined } | undefined;
  /** At most so many tasks start within any period of that length, retries included: `50/s`, `5/10s`. Default: no limit. */
  rate?: string | undefined;
  /** The shortest time from the start of a task to that of the next one. Default `0s`. */
  delay?: DurationText | undefined;
  /** Limit of one thread, from `16MB`: of its heap, and of that with its external memory. Default: what Node sets. */
  memory?: SizeText | undefined;
  /** Limit of the whole process, as the system counts (RSS), from `16MB`. Default: none. */
  memoryTotal?: SizeText | undefined;
  /** Crashes after which a task is given up, 1 to 1000. Default 3. */
  maxCrashes?: number | undefined;
  /** Whether the queue lives on disk. Default true. */
  durable?: boolean | undefined;
  /** Whether a supervisor starts another executor when one dies. Default true. */
  supervise?: boolean | undefined;
  /** From the abort of a task to the end of its thread. Default `2s`. */
  grace?: DurationText | undefined;
  /** A thread is replaced once it has run this many tasks. Default: never. */
  recycleAfterTasks?: number | undefined;
  /** A thread is replaced once its heap and external memory are above this between two tasks. Default: never. */
  recycleAboveMemory?: SizeText | undefined;
  /** Where a task is that has been running for this long is reported. Default `30s`. */
  stallAfter?: DurationText | undefined;
  /** Whether async functions or open file streams that tasks leave behind in the threads make the run fail. Default false. */
  failOnLeak?: boolean | undefined;
  /** Whether whole numbers beyond 2^53-1 in a task file become BigInts; else they are refused. Default false. */
  bigIntegers?: boolean | undefined;
  /**
   * When to end the run as tasks failed: `soon,fail=3` lets what runs come to its end, `now,fail=10%` interrupts it.
   * Of a percentage, at least three. Default: never.
   */
  halt?: string | undefined;
  /** Port, or `host:port`, that serves health and metrics; without a host on loopback. Default: none. */
  http?: number | string | undefined;
}

/** What `runtime dry-run` makes, and where it goes. */
export interface DryRunConfig {
  /** How arrivals are spread. Default `sequential`. */
  pattern?: Pattern | undefined;
  /** Events a second, on average. Default 1. */
  rate?: number | undefined;
  /** How long events arrive. Not with `count`. Default `10s`. */
  duration?: DurationText | undefined;
  /** How many events arrive. Not with `duration`. */
  count?: number | undefined;
  /** The same seed makes the same events. Default 42. */
  seed?: number | undefined;
  /** Events of one burst, or a range such as `3-10`, which is the default. */
  burstSize?: number | string | undefined;
  /** Module that exports a set of events. Default: the trading events. */
  events?: string | undefined;
  /** The account in the trading events. */
  account?: string | undefined;
  /** Module, or `module#export`, that the events go to. Default: one that checks them. */
  handler?: string | undefined;
  /** Worker threads, 1 to 1024. Default: what the machine offers. */
  threads?: number | undefined;
  /** Async tasks in flight in one thread, 1 to 100,000. Default 1. */
  concurrency?: number | undefined;
  /** Whether the queue lives on disk. Default true. */
  durable?: boolean | undefined;
}

/** What `runtime smoke` boots, waits for and checks. */
export interface SmokeConfig {
  /** For the first event to come. Default `8s`. */
  timeout?: DurationText | undefined;
  /** Worker threads, 1 to 1024. Default: what the machine offers. */
  threads?: number | undefined;
  /** Module, or `module#export`, that the events go to. Default: one that checks them. */
  handler?: string | undefined;
  /** Gives the events; in a module alone. Default: those of a dry run. */
  eventSource?: EventSource | undefined;
  /** Checks of your own, after those that are built in; in a module alone. */
  postConditions?: PostCondition[] | undefined;
}

/** Gives `config` back: with it, editors know every key of a `runtime.config.ts` or `.js`. */
export function defineConfig(config: RuntimeConfig): RuntimeConfig {
  return config;
}
