// The part of the package that is used here; it ships no types of its own.
declare module 'picomatch' {
  interface Options {
    /** Whether `*` takes names that start with a dot. */
    dot?: boolean;
    /** Of the regular expression. */
    flags?: string;
  }
  interface Scan {
    /** What stands before the first magic character, without its last slash. */
    base: string;
    /** The rest; empty if there is no magic. */
    glob: string;
    /** Whether it begins with `!`. */
    negated: boolean;
    /** Between the slashes, those in braces and parentheses left out. */
    parts?: string[];
  }
  function picomatch(glob: string, options: Options & { posix: true }): (path: string) => boolean;
  namespace picomatch {
    function scan(glob: string, options: { parts: true }): Scan;
  }
  export default picomatch;
}
