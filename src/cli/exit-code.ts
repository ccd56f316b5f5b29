import { constants } from 'node:os';
import { isHoldfastError, type ErrorCode } from '../base/errors.js';
import { printableLines } from '../base/printable.js';

/** Exit codes of the command; what a run comes to is decided in `summary.ts`. */
export const EXIT = { ok: 0, failure: 1, stalled: 2, notAllDone: 3, usage: 64 } as const;

/** By these, people and systems stop a command. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const USAGE_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'ERR_HANDLER_MISSING',
  'ERR_HANDLER_MODULE',
  'ERR_INVALID_OPTIONS',
  'ERR_INVALID_RUN_ID',
  'ERR_INVALID_TASK',
  'ERR_RUN_MISMATCH',
  'ERR_TASK_CONFLICT',
]);

/** 64 where the user must change what was typed, else 1. */
export function exitCodeOfError(error: unknown): number {
  return isHoldfastError(error) && USAGE_ERRORS.has(error.code) ? EXIT.usage : EXIT.failure;
}

export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

const OUT_OF_FILES =
  'This process may open too few files: see `ulimit -n`, and raise it, such as by `ulimit -n 4096`. Fewer --threads need fewer.';

/** It is met wherever a file is opened, mostly while the command itself is loaded. */
function isOutOfFiles(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && (code === 'EMFILE' || code === 'ENFILE');
}

/** An error as the command tells it: what is wrong, then what to do. Bugs of ours keep their stack. */
export function errorText(error: unknown): string {
  if (isOutOfFiles(error)) return `runtime: ${printableLines(`${(error as Error).message}\n${OUT_OF_FILES}`)}\n`;
  if (!isHoldfastError(error)) {
    const whole = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    return `runtime: ${printableLines(whole)}\n`;
  }
  const hint = error.hint === undefined ? '' : `\n${error.hint}`;
  return `runtime: ${printableLines(error.message + hint)}\n`;
}
