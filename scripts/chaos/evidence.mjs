// @ts-check
/** The tasks' own record of what they did: one file, to which each attempt appends a line when it starts and when it ends. */
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * @typedef {object} EvidenceLine
 * @property {'start' | 'end'} kind
 * @property {string} task
 * @property {number} attempt
 * @property {number} pid of the executor process
 * @property {number} token fencing token: the epoch of the executor
 * @property {number} thread
 * @property {number} at microseconds of the machine's monotonic clock, which all its processes share
 */

/**
 * All lines have this length. It divides the size of a page, so that no line
 * crosses a page's border: there, and only there, a SIGKILL can cut a write in two.
 */
export const LINE_BYTES = 128;

/** Microseconds of the machine's monotonic clock. */
export function clock() {
  return Number(process.hrtime.bigint() / 1000n);
}

/** @param {EvidenceLine} line */
export function formatLine(line) {
  return `${JSON.stringify(line).padEnd(LINE_BYTES - 1)}\n`;
}

/** Follows the file while it grows. */
export class EvidenceTail {
  /** @type {EvidenceLine[]} in the order in which the kernel appended them */
  lines = [];
  /** Tasks of which some attempt has come to its end. @type {Set<string>} */
  ended = new Set();
  #fd;
  #at = 0;
  #buffer = Buffer.alloc(512 * LINE_BYTES);

  /** @param {string} path */
  constructor(path) {
    this.#fd = openSync(path, 'a+');
  }

  /** Reads what is new. Throws when a line is no line. */
  read() {
    for (;;) {
      const bytes = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#at);
      const whole = bytes - (bytes % LINE_BYTES);
      if (whole === 0) return;
      this.#at += whole;
      for (const text of this.#buffer.toString('utf8', 0, whole).trimEnd().split('\n')) {
        /** @type {EvidenceLine} */
        const line = JSON.parse(text);
        this.lines.push(line);
        if (line.kind === 'end') this.ended.add(line.task);
      }
    }
  }

  close() {
    this.read();
    closeSync(this.#fd);
  }
}
