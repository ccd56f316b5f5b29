/** Options that many commands have. */
import { availableParallelism } from 'node:os';
import { onOff, text, whole } from './kinds.js';
import type { Option } from './option.js';

export const DIR = {
  says: 'where all state is kept',
  takes: text('must be the path of a folder', 'path', 'folder'),
  unsetSays: '.runtime',
  flag: '--dir <folder>',
  variable: 'RUNTIME_DIR',
  executor: true,
} as const satisfies Option<string>;

/** Which file it is is settled before the command: see `config-values.ts`. */
export const CONFIG = {
  says: 'configuration',
  takes: text('must be a file', 'file', 'file'),
  unsetSays: 'runtime.config.{ts,js,json,yaml} in this folder, if there is one',
  flag: '--config <file>',
} as const satisfies Option<string>;

export const THREADS = {
  says: 'worker threads',
  takes: whole(1, 1024),
  unset: availableParallelism,
  unsetSays: 'what the machine offers',
  flag: '--threads <n>',
  config: true,
  executor: true,
} as const satisfies Option<number>;

export const CONCURRENCY = {
  says: 'async tasks in flight in one thread',
  takes: whole(1, 100_000),
  unset: 1,
  flag: '--concurrency <n>',
  config: true,
  executor: true,
} as const satisfies Option<number>;

export const DURABLE = {
  says: 'keep the queue on disk',
  takes: onOff,
  unset: true,
  flag: '--durable',
  off: 'keep the queue in memory: faster, and gone with the process',
  config: true,
  executor: true,
} as const satisfies Option<boolean>;

export const COLOR = {
  says: 'no colours',
  takes: onOff,
  unset: true,
  flag: '--no-color',
} as const satisfies Option<boolean>;
