// The part of the package that is used here; it ships no types of its own.
declare module 'fs-native-extensions' {
  /** `false` when another open file holds a lock in the way. Throws system errors. */
  export function tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean;
}
