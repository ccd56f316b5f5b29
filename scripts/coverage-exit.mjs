/** Set in the exit code of `coverage.mjs` where a bar is not met; the other bits are the command's own failure. */
export const COVERAGE_LOW = 0x10;
