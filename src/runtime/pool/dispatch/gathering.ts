import type { ClaimedTask, Settlement } from '../../queue/contract.js';

/**
 * A write that took so many ms is followed by a rest so many times as long. A
 * store keeps this thread while it waits for the disk, and threads that need
 * work meanwhile wait as well: so writes take a fortieth of the time at most,
 * as far as `MAX_REST_MS` allows.
 */
const REST_FACTOR = 40;

/**
 * The longest rest, in ms. Whoever waits for an outcome waits so much longer,
 * and so much more is run again when the process is killed.
 */
const MAX_REST_MS = 10;

type Write = (tasks: readonly ClaimedTask[], settlements: readonly Settlement[]) => Promise<void>;

/** Gathers what became of tasks, to have it written in one go: for as long as threads have enough to do, and not for long. */
export class Gathering {
  readonly #write: Write;
  #gathered: Parameters<Write>[] = [];
  /** On the clock of `performance.now()`. */
  #restsUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param write resolves when it has written. Calls of one tick share what it costs */
  constructor(write: Write) {
    this.#write = write;
  }

  get isEmpty(): boolean {
    return this.#gathered.length === 0;
  }

  /** These are written when the rest after the write before is over, or with the next `flush`. */
  add(...settled: Parameters<Write>): void {
    this.#gathered.push(settled);
    const restMs = this.#restsUntil - performance.now();
    if (restMs <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), restMs);
  }

  /** Has written, in this tick, what was gathered. */
  flush(): void {
    if (this.isEmpty) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const start = performance.now();
    const writes = this.#gathered.map((settled) => this.#write(...settled));
    this.#gathered = [];
    void writes[0]!.then(() => {
      const end = performance.now();
      this.#restsUntil = end + Math.min(MAX_REST_MS, REST_FACTOR * (end - start));
    });
  }
}
