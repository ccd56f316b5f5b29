import { HoldfastError } from '../../../base/errors.js';
import { formatSize } from '../../../base/units.js';
import type { Pool } from '../pool.js';
import type { PoolThread } from '../thread/pool-thread.js';

/** To ask for the memory of the process takes 50 µs. */
const LOOK_INTERVAL_MS = 200;

/** The C library gives back late what a thread has held: so many looks are waited for. */
const PATIENCE_LOOKS = 10;

export interface MemoryTotalListener {
  /** From now on no task is to be taken. */
  onOver(warning: Error): void;
  /** Tasks may be taken again. */
  onBelow(): void;
  /** It is above the limit with all threads replaced. */
  onBroken(error: HoldfastError): void;
}

/**
 * Keeps the memory of the whole process below a limit, as far as threads hold
 * it: above it, threads are replaced as they become idle, the largest first.
 */
export class MemoryTotal {
  readonly #limit: number;
  readonly #pool: Pool;
  readonly #listener: MemoryTotalListener;
  readonly #rss: () => number;
  #timer: NodeJS.Timeout | undefined;
  /** Threads that were there when it went above, and are to be replaced; `undefined`: it is below. */
  #stale: Set<PoolThread> | undefined;
  #looksInVain = 0;

  /** @param limit in bytes */
  constructor(limit: number, pool: Pool, listener: MemoryTotalListener, rss: () => number = process.memoryUsage.rss) {
    this.#limit = limit;
    this.#pool = pool;
    this.#listener = listener;
    this.#rss = rss;
  }

  get over(): boolean {
    return this.#stale !== undefined;
  }

  /** Looks at once, and from then on again and again. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS).unref();
    this.look();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  look(): void {
    const used = this.#rss();
    if (used <= this.#limit) {
      if (this.#stale === undefined) return;
      this.#stale = undefined;
      this.#timer?.unref();
      this.#listener.onBelow();
      return;
    }
    if (this.#stale === undefined) {
      this.#stale = new Set(this.#pool.threads);
      this.#looksInVain = 0;
      // What waits meanwhile keeps nothing else alive.
      this.#timer?.ref();
      const limit = formatSize(this.#limit);
      this.#listener.onOver(
        new Error(
          `the process holds ${formatSize(used)} (RSS), above its limit of ${limit}: no task is taken, and threads are replaced`,
        ),
      );
    }
    this.#replaceLargest(this.#stale, used);
  }

  #replaceLargest(stale: Set<PoolThread>, used: number): void {
    // One at a time: the first one may be enough.
    if (this.#pool.changing) return;
    const left = this.#pool.threads.filter((thread) => stale.has(thread));
    const idle = left.filter((thread) => !thread.busy);
    const [largest] = idle.sort((one, other) => held(other) - held(one));
    if (largest !== undefined) {
      stale.delete(largest);
      this.#pool.recycle(largest);
    } else if (left.length === 0 && ++this.#looksInVain >= PATIENCE_LOOKS) {
      this.stop();
      this.#listener.onBroken(this.#error(used));
    }
  }

  #error(used: number): HoldfastError {
    const { heapUsed, external } = process.memoryUsage();
    const { threads } = this.#pool;
    const inThreads = threads.reduce((sum, thread) => sum + held(thread), 0);
    return new HoldfastError(
      'ERR_MEMORY_TOTAL',
      `the process holds ${formatSize(used)} (RSS), above its limit of ${formatSize(this.#limit)}, though all threads were replaced. ` +
        `Of that, the main thread counts ${formatSize(heapUsed)} of heap and ${formatSize(external)} of external memory, ` +
        `and ${threads.length} fresh threads count ${formatSize(inThreads)} together; the rest is of native code and of Node itself`,
      { hint: 'Nothing is lost, and the same command goes on: with a higher --memory-total, or with fewer --threads.' },
    );
  }
}

function held({ memory }: PoolThread): number {
  return memory.heap + memory.external;
}
