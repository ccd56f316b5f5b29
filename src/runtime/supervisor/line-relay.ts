import type { Readable, Writable } from 'node:stream';

const NEWLINE = 0x0a;

/**
 * Passes on what executors print, one after the other, whole lines only. An
 * executor can die in the middle of a line: that piece is dropped, and its
 * successor prints the line again. By the number of lines it is told, it knows
 * where to go on.
 */
export class LineRelay {
  readonly #target: Writable;
  #lines = 0;
  #targetLost = false;

  constructor(target: Writable) {
    this.#target = target;
    target.once('error', () => (this.#targetLost = true));
  }

  /** Whether the target takes no more: its reader has gone. */
  get targetLost(): boolean {
    return this.#targetLost;
  }

  /** Lines passed on so far, of all sources. */
  get lines(): number {
    return this.#lines;
  }

  /** When the target takes no more, the source is closed: its writer gets EPIPE. */
  pass(source: Readable): void {
    let begun: Buffer[] = [];
    const resume = () => source.resume();
    const close = () => source.destroy();
    source.on('data', (chunk: Buffer) => {
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end === 0) {
        begun.push(chunk);
        return;
      }
      const whole = Buffer.concat([...begun, chunk.subarray(0, end)]);
      begun = end === chunk.length ? [] : [chunk.subarray(end)];
      for (let at = whole.indexOf(NEWLINE); at !== -1; at = whole.indexOf(NEWLINE, at + 1)) this.#lines++;
      if (!this.#target.write(whole)) source.pause();
    });
    // That an executor died in the middle is told elsewhere.
    source.on('error', () => {});
    this.#target.on('drain', resume).on('error', close);
    source.once('close', () => this.#target.off('drain', resume).off('error', close));
    if (this.#targetLost) close();
  }
}
