// @ts-check
/** What tasks of `threads/started.mjs` have written down. */
import { readFileSync } from 'node:fs';

/** @typedef {{ pid: number, at: bigint }} Started `at`: nanoseconds of the machine's clock, which all its processes share */

/** @param {string} file @returns {Started[]} in their order */
export function startsOf(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '))
    .map(([pid, at]) => ({ pid: Number(pid), at: BigInt(at ?? 0) }));
}
