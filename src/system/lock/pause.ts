const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread for `ms` milliseconds: only where another process is done within microseconds. */
export function pause(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}
