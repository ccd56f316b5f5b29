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

/** How far a machine, or a heap, may be from those. */
const SLOWEST = 8;
const FASTEST = 0.5;

/** After each look without a walk through the heap, what was learnt counts for less: machines are busy for a while. */
const FORGETTING = 0.9;

/** What was learnt of one heap, of what kind its objects are, stays true for longer. */
const FORGETTING_OF_HEAP = 0.98;

/** A prediction that was wrong by more than this is not mended by halves, and is told. */
const WRONG = 2;

/** Predictions that were wrong by less than so many ms are wrong by nothing that anybody would notice. */
const WRONG_MS = 500;

/** Whether a walk took so much longer than was predicted that one should hear of it. */
export function wasWrong(predictedMs: number, measuredMs: number): boolean {
  return measuredMs > WRONG * predictedMs && measuredMs - predictedMs > WRONG_MS;
}

/**
 * Tells how long the threads of a process would stand while their heaps are
 * written to files, and learns from how long they did: of each thread, as its
 * objects may be of another kind, and of all together, as they share a machine.
 */
export class PausePredictor {
  /** How much longer it takes than on the machine of the measurements. */
  #factor = 1;
  /** The same for a thread, by its id. */
  readonly #threads = new Map<number, number>();
  readonly #crowd: () => number;

  /** @param crowd how many have to share a core, at least 1 */
  constructor(crowd: () => number = runnablePerCore) {
    this.#crowd = crowd;
  }

  /** In ms. @param smallObjects bytes in spaces of many small objects */
  predict(threadId: number, smallObjects: number): number {
    return Math.round(this.#factorOf(threadId) * this.#crowd() * expected(smallObjects));
  }

  learn(threadId: number, smallObjects: number, measuredMs: number): void {
    const seen = measuredMs / (this.#crowd() * expected(smallObjects));
    const known = this.#factorOf(threadId);
    this.#threads.set(threadId, bounded(seen > WRONG * known ? seen : (known + seen) / 2));
    this.#factor = bounded((this.#factor + seen) / 2);
  }

  /** A walk was too long for what is allowed: nothing is learnt from that. */
  forget(threadId: number): void {
    const known = this.#threads.get(threadId);
    if (known !== undefined) this.#threads.set(threadId, faded(known, FORGETTING_OF_HEAP));
    this.#factor = faded(this.#factor, FORGETTING);
  }

  #factorOf(threadId: number): number {
    return this.#threads.get(threadId) ?? this.#factor;
  }
}

function bounded(factor: number): number {
  return Math.min(SLOWEST, Math.max(FASTEST, factor));
}

function faded(factor: number, forgetting: number): number {
  return 1 + (factor - 1) * forgetting;
}

/** Who wants to run, on the average of the last minute, shares the cores with the others. */
export function runnablePerCore(): number {
  return Math.max(1, loadavg()[0]! / availableParallelism());
}

function expected(smallObjects: number): number {
  const megabytes = smallObjects / 1e6;
  const perMegabyte = MS_PER_MB + MS_PER_MB_AND_MB * Math.max(0, megabytes - CODE_MB);
  return MS_AT_LEAST + megabytes * Math.min(perMegabyte, MOST_MS_PER_MB);
}
