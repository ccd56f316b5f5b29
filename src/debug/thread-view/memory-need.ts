import { formatSize } from '../../base/units.js';

/**
 * What V8 needs to write a heap, in bytes for each byte of it: measured with
 * Node 20, 24 and 26, as growth of the resident memory at its peak. A program's
 * own code, 4 MB, takes 32 MB; 18 MB of objects with texts 220; 44 MB of a
 * million tiny ones 1.4 GB, as it goes by their number, which V8 does not tell
 * without counting. So the worst is taken that was seen.
 */
const FOR_SMALL = 14;
const SMALL = 10e6;
const FOR_LARGE = 30;

/** Of what is free, so much may be taken: others want some as well, and the figures above are no law. */
const SHARE = 0.8;

/** The own process reads what it has written, too. */
const WITH_READING = 1.3;

/** In bytes. @param heapUsed bytes of JavaScript objects */
export function memoryFor(heapUsed: number): number {
  return Math.min(heapUsed, SMALL) * FOR_SMALL + Math.max(0, heapUsed - SMALL) * FOR_LARGE;
}

/** Memory that is free for a process, and who sets the limit, as a phrase: `on this machine`. */
export interface FreeMemory {
  bytes: number;
  where: string;
}

/** Sees to it that the walks of one look do not take more memory than their process can have. */
export class MemoryBudget {
  readonly #free: () => FreeMemory | undefined;
  readonly #factor: number;
  #taken = 0;

  /**
   * @param free `undefined` where the system does not tell: then there is no limit
   * @param isOwn whether the heaps are those of this process
   */
  constructor(free: () => FreeMemory | undefined, isOwn: boolean) {
    this.#free = free;
    this.#factor = isOwn ? WITH_READING : 1;
  }

  /** Takes what a walk needs until it is given back; gives why it cannot be had, as a phrase. */
  take(heapUsed: number): string | undefined {
    const bytes = this.#bytes(heapUsed);
    const free = this.#free();
    if (free !== undefined && bytes + this.#taken > free.bytes * SHARE) {
      const needs = `to walk through its heap of ${formatSize(heapUsed)} may take ${formatSize(bytes)} of memory`;
      return `${needs}, and ${formatSize(Math.max(0, free.bytes - this.#taken))} are free ${free.where}`;
    }
    this.#taken += bytes;
    return undefined;
  }

  giveBack(heapUsed: number): void {
    this.#taken -= this.#bytes(heapUsed);
  }

  #bytes(heapUsed: number): number {
    return Math.round(memoryFor(heapUsed) * this.#factor);
  }
}
