/**
 * Every error that holdfast raises on purpose, each with a stable code.
 *
 * Codes are part of the public API: callers branch on `error.code`, never on
 * the message. `docs/errors.md` lists the same codes; a test holds the two
 * together.
 */
export const ERROR_CODES = {
  ERR_EXECUTOR_RUNNING: 'another executor holds the lock of this run',
  ERR_EXECUTOR_STOPPED: 'the executor was stopped, or is stopping, and takes no more tasks',
  ERR_HANDLER_MISSING: 'the module has no such handler',
  ERR_HANDLER_MODULE: 'the module of handlers is missing or does not load',
  ERR_HTTP_ADDRESS: 'health and metrics cannot be served on this address',
  ERR_INSPECT_BUSY: 'another inspect, or another process at the port of the inspector, was in the way for too long',
  ERR_INSPECT_TARGET: 'the process cannot be looked into',
  ERR_INVALID_EVENT: 'an event of a dry run does not match the schema of its set, or could not be made',
  ERR_INVALID_OPTIONS: 'an option, a flag or a setting is not valid',
  ERR_INVALID_RUN_ID: 'the run id is not valid',
  ERR_INVALID_TASK: 'a task, or a line of a task file, is not valid',
  ERR_KEEPER_DIED: 'the process that keeps the queue has ended',
  ERR_LOCK_LOST: 'the lock file was deleted or replaced while it was held',
  ERR_LOCK_PATH: 'the place of the lock holds something that is not a plain file of ours',
  ERR_MEMORY_TOTAL: 'the process holds more memory than it may, with all threads replaced',
  ERR_NO_EXECUTOR: 'no executor is running for this run id',
  ERR_PENDING: 'async functions were left pending that nobody waits for',
  ERR_POST_CONDITION: 'what was to hold at the end does not hold',
  ERR_QUEUE_BUSY: 'another process kept the queue locked for too long',
  ERR_QUEUE_CORRUPT: 'the queue file is damaged, or is not a queue',
  ERR_QUEUE_DISK_FULL: 'the disk that holds the queue is full',
  ERR_QUEUE_DRIVER: 'the SQLite driver is not built, or was built for another Node',
  ERR_QUEUE_IO: 'the queue could not be read or written',
  ERR_QUEUE_LOST: 'the queue file, or its log, was removed or replaced while it was open',
  ERR_QUEUE_NEWER_SCHEMA: 'the queue was written by a newer version of holdfast',
  ERR_QUEUE_READ_ONLY: 'the queue, or its folder, is read-only',
  ERR_RESULTS: 'the results could not be written',
  ERR_RUN_KEPT: 'the run is in use, or holds what would be lost with it',
  ERR_RUN_MISMATCH: 'the run is of another module, or of another handler',
  ERR_STALE_EXECUTOR: 'a newer executor has taken this run over',
  ERR_STATE_DIR: 'the state folder cannot be used, or is not private',
  ERR_TASK_CANCELLED: 'the task was cancelled',
  ERR_TASK_CONFLICT: 'this task id is already taken by a task with another handler or input',
  ERR_TASK_CRASHED: 'the thread or the process died each time the task ran',
  ERR_TASK_FAILED: 'the handler threw, or its promise was rejected',
  ERR_TASK_TIMED_OUT: 'the task ran for longer than its timeout',
  ERR_TEARDOWN: 'the teardown of the module failed, or a thread ended before it',
  ERR_VALUE_NOT_CLONEABLE: 'an input or a result cannot travel between threads',
} as const;

/** The codes that `error.code` can have. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error may be given beside its message. */
export interface HoldfastErrorOptions extends ErrorOptions {
  /** What to type or do next, as one sentence. */
  hint?: string;
}

/** Base of all errors of holdfast. `code` is stable, `message` is for people. */
export class HoldfastError extends Error {
  override readonly name: string = 'HoldfastError';
  readonly code: ErrorCode;
  /** What to type or do next, as one sentence. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}

/**
 * Whether an error is one of ours. The command is built into files of its own, and
 * a module of the user's that it loads has the classes of the package: by these
 * alone, an error from there would be a stranger.
 */
export function isHoldfastError(error: unknown): error is HoldfastError {
  if (error instanceof HoldfastError) return true;
  return error instanceof Error && Object.hasOwn(ERROR_CODES, String((error as Partial<HoldfastError>).code));
}

/** One thing that is wrong with the input, and where: a flag, a field, a line. */
export interface Fault {
  /** `retries`, `--retries`, `tasks[2].input`, `line 7`. */
  where: string;
  /** Goes on behind it: `must be a whole number of at least 1, got 0`. */
  problem: string;
}

/** All faults of one input, reported together. */
export class InvalidInputError extends HoldfastError {
  override readonly name: string = 'InvalidInputError';
  /** All that were found; of an `enqueue`, the first 20, and a last one that counts the others. */
  readonly faults: readonly Fault[];

  constructor(
    code: 'ERR_INVALID_OPTIONS' | 'ERR_INVALID_TASK' | 'ERR_INVALID_RUN_ID',
    source: string,
    faults: readonly Fault[],
    options: HoldfastErrorOptions = {},
  ) {
    const lines = faults.map((fault) => `  ${fault.where}: ${fault.problem}`);
    super(code, `${source}:\n${lines.join('\n')}`, options);
    this.faults = faults;
  }
}
