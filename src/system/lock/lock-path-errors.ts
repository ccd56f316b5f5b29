/** What stands in the way of a lock, said as it is: never as "somebody holds it". */
import { lstatSync } from 'node:fs';
import type { StatsBase } from 'node:fs';
import { HoldfastError } from '../../base/errors.js';

type FileKind = Pick<StatsBase<unknown>, 'isSymbolicLink' | 'isDirectory'>;

/** Runs `action`; a system error in it becomes one that names the lock file and its reason. */
export function telling<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof HoldfastError || code === undefined) throw error;
    const there = lstatIfPossible(path);
    if (there && !there.isFile()) throw notPlain(path, there);
    throw new HoldfastError('ERR_STATE_DIR', `cannot use the lock file ${path}: ${message}`, {
      cause: error,
      hint: 'Mend that, or choose another state folder: --dir <folder>.',
    });
  }
}

/** `ERR_LOCK_PATH`, saying what lies there. */
export function notPlain(path: string, what: FileKind | string): HoldfastError {
  const kind = typeof what === 'string' ? what : nameOf(what);
  return new HoldfastError('ERR_LOCK_PATH', `the lock file ${path} is ${kind}, and is not touched`, {
    hint: `Find out who put it there, then remove it: rm -r ${path}`,
  });
}

function nameOf(kind: FileKind): string {
  if (kind.isSymbolicLink()) return 'a symbolic link';
  if (kind.isDirectory()) return 'a folder';
  return 'no plain file';
}

function lstatIfPossible(path: string) {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
