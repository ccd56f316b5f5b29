import { availableParallelism, loadavg } from 'node:os';

/**
 * Milliseconds per MB of small objects, measured on 2 cores with Node 20 to 26.
 * The heap of a program is mostly its code: 3 MB take 110 ms, 6 MB 180 ms, 10 MB
 * 260 ms. One of millions of small objects takes three times as much per MB, as
 * V8's tables of objects grow out of the caches of the processor: 97 MB of them
 * 5 to 7 s. V8 does not tell which it is without counting, so heaps that are
 * larger than code mostly is are taken for the worst case.
 */
const MS_AT_LEAST = 40;
const MS_PER_MB = 22;
const CODE_MB = 10;
const MS_PER_MB_AND_MB = 4;
const MOST_MS_PER_MB = 70;

/** How far a machine may be from that one. */
const SLOWEST = 4;
const FASTEST = 0.5;

/** After each look without a walk through the heap, what was learnt counts for less: machines are busy for a while. */
const FORGETTING = 0.9;

/** Tells how long a thread would stand while its heap is written to a file, and learns from how long one did. */
export class PausePredictor {
  /** How much longer it takes than on the machine of the measurements. */
  #factor = 1;
  readonly #crowd: () => number;

  /** @param crowd how many have to share a core, at least 1 */
  constructor(crowd: () => number = runnablePerCore) {
    this.#crowd = crowd;
  }

  /** In ms. @param smallObjects bytes in spaces of many small objects */
  predict(smallObjects: number): number {
    return Math.round(this.#factor * this.#crowd() * expected(smallObjects));
  }

  learn(smallObjects: number, measuredMs: number): void {
    const factor = measuredMs / (this.#crowd() * expected(smallObjects));
    this.#factor = Math.min(SLOWEST, Math.max(FASTEST, (this.#factor + factor) / 2));
  }

  /** A walk was too long for what is allowed: nothing is learnt from that. */
  forget(): void {
    this.#factor = 1 + (this.#factor - 1) * FORGETTING;
  }
}

/** Who wants to run, on the average of the last minute, shares the cores with the others. */
function runnablePerCore(): number {
  return Math.max(1, loadavg()[0]! / availableParallelism());
}

function expected(smallObjects: number): number {
  const megabytes = smallObjects / 1e6;
  const perMegabyte = MS_PER_MB + MS_PER_MB_AND_MB * Math.max(0, megabytes - CODE_MB);
  return MS_AT_LEAST + megabytes * Math.min(perMegabyte, MOST_MS_PER_MB);
}
