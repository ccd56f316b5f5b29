/** Why `--each` has no task to give: in words, with what to type instead. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HoldfastError } from '../../../base/errors.js';
import { printable } from '../../../base/printable.js';
import type { FoundFiles } from './find-files.js';

const refused = (message: string, hint: string, cause?: unknown) =>
  new HoldfastError('ERR_INVALID_OPTIONS', `--each: ${message}`, { hint, cause });

export function noMatch(
  typed: string,
  cwd: string,
  base: string,
  { leftOut }: Pick<FoundFiles, 'leftOut'>,
): HoldfastError {
  const [first] = leftOut;
  if (first !== undefined) {
    const more = leftOut.length > 1 ? `, nor ${leftOut.length - 1} more` : '';
    return refused(
      `what ${quoted(typed)} matches cannot be taken: not ${printable(first.path)}: ${first.reason}${more}`,
      'Mend that, or choose other files.',
    );
  }
  return refused(`no file matches ${quoted(typed)} in ${cwd}`, hintFor(typed, cwd, base));
}

function hintFor(typed: string, cwd: string, base: string): string {
  if (typed.startsWith('!')) return "A glob says which files are meant; those that are not: --exclude 'docs/**'";
  // Of a glob, the base is a folder anyway.
  if (!/[*?[{(]/.test(typed) && isFolder(resolve(cwd, base))) {
    return `${typed} is a folder; for the files in it: --each '${base}/**'`;
  }
  return "Quote the glob, so that the shell leaves it alone: --each 'src/**/*.ts'";
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Of an error of the system, at the base of a glob. */
export function unreachable(typed: string, cwd: string, base: string, error: unknown): HoldfastError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return noMatch(typed, cwd, base, { leftOut: [] });
  const at = quoted(culprit(cwd, base));
  switch (code) {
    case 'ENOTDIR':
      return refused(
        `${quoted(typed)} leads through ${at}, which is not a folder`,
        'For a single file: --each <its path>.',
        error,
      );
    case 'ELOOP':
      return refused(
        `${quoted(typed)} leads through ${at}, a link that leads to itself`,
        'Mend the link, or name what it was to lead to.',
        error,
      );
    case 'ENAMETOOLONG':
      return refused(
        `${quoted(typed)} is longer than the name of a file can be`,
        'A name has 255 bytes at most, a path 4,095.',
        error,
      );
    case 'EACCES':
    case 'EPERM':
      return refused(`this user may not look into ${at}`, 'Work as its owner, or choose other files.', error);
    default:
      return refused(`${at} cannot be read: ${code}`, 'Mend that, or choose other files.', error);
  }
}

/** The first part of the path that is the trouble. */
function culprit(cwd: string, base: string): string {
  const names = base.split('/');
  for (let count = 1; count <= names.length; count++) {
    const path = names.slice(0, count).join('/') || '/';
    try {
      if (!statSync(resolve(cwd, path)).isDirectory()) return path;
    } catch {
      return path;
    }
  }
  return base;
}

function quoted(text: string): string {
  return JSON.stringify(printable(text));
}
