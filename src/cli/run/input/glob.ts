/** What a glob matches, and where what it matches can lie. Paths have forward slashes. */
import { posix } from 'node:path';
import picomatch from 'picomatch';

/** By `s`, a dot of the expression is any character: without it `**` takes no line feed, carriage return or U+2028. */
const OPTIONS = { posix: true, flags: 's' } as const;

/** Whether some name is asked for that starts with a dot: without it, none is taken. */
const NAMES_DOT = /(?:^|[/{,(|[\\])\./;

export interface Glob {
  /** The folder in which all lies that it matches; without a glob in it, the file. Absolute if the glob is, else relative to the working directory. */
  base: string;
  /** Whether nothing in it is magic. */
  isPath: boolean;
  /** Asked of paths below the base. */
  matches(path: string): boolean;
  /** Whether it may match something in a folder below the base. */
  canContain(folder: string): boolean;
}

/** `undefined` for one that begins with `!`: it says what is not meant, and nothing of what is. */
export function parseGlob(typed: string, cwd: string): Glob | undefined {
  const { base, glob, negated } = picomatch.scan(normal(typed), { parts: true });
  if (negated) return undefined;
  const path = base.replaceAll(/\\(.)/gs, '$1');
  const parts = glob === '' ? [] : partsOf(glob);
  return {
    base: typed.startsWith('/') ? path || '/' : posix.relative(cwd, posix.resolve(cwd, path)) || '.',
    isPath: glob === '',
    matches: glob === '' ? () => false : picomatch(glob, OPTIONS),
    canContain: canContain(parts, NAMES_DOT.test(glob)),
  };
}

function partsOf(glob: string): string[] {
  const { parts = [] } = picomatch.scan(glob, { parts: true });
  return parts.length === 0 ? [glob] : parts;
}

function canContain(parts: readonly string[], namesDot: boolean): (folder: string) => boolean {
  const matchers = parts.map((part) => picomatch(part, OPTIONS));
  return (folder) => {
    const names = folder.split('/');
    if (!namesDot && names.some((name) => name.startsWith('.'))) return false;
    for (let at = 0; at < names.length; at++) {
      const part = parts[at];
      if (part === undefined) return false;
      // In braces, slashes of its own: where they lead is not looked at.
      if (part.includes('/')) return true;
      if (!matchers[at]!(names[at]!)) return false;
      if (part === '**') return true;
    }
    return names.length < parts.length;
  };
}

/**
 * Whether a path is left out: by a glob that matches it, or a folder that it lies in.
 * A glob without a slash is asked of names, in any folder. A dot is a letter like any other.
 *
 * @param globs relative to the working directory, or absolute
 */
export function excluder(globs: readonly string[], cwd: string): (path: string) => boolean {
  const options = { ...OPTIONS, dot: true };
  const tests = globs.map((typed) => {
    const glob = normal(typed);
    const matches = picomatch(glob, options);
    if (!glob.includes('/')) return (path: string) => matches(posix.basename(path));
    if (glob.startsWith('/')) return (path: string) => matches(posix.resolve(cwd, path));
    return (path: string) => matches(path.startsWith('/') ? posix.relative(cwd, path) : path);
  });
  return (path) => tests.some((test) => test(path));
}

function normal(typed: string): string {
  return posix.normalize(typed).replace(/(?<=.)\/+$/, '');
}
