/** The numbered lines of a smoke test, and the order they may come in. */

/** What each checkpoint stands for, the first at index 0. */
export const CHECKPOINTS = [
  'started',
  'timeout configured',
  'starting boot',
  'waiting for first event or timeout',
  'first event received',
  'timeout, no event',
  'post-conditions',
  'complete',
] as const;

/** How a smoke test ends. */
export type SmokeResult = 'success' | 'exception' | 'stalled' | 'cancelled';

export interface Checkpoint {
  /** 1 to 8. */
  number: number;
  /** What it says, without its number. */
  text: string;
  /** Milliseconds since the process started. */
  atMs: number;
}

/**
 * What may follow each one; before the first, at index 0. An exception, or a
 * signal, goes straight to 8. A boot that never ends goes from 3 to 6.
 */
const NEXT: readonly (readonly number[])[] = [[1], [2, 8], [3, 8], [4, 6, 8], [5, 6, 8], [7, 8], [7, 8], [8], []];

/** The checkpoints of one smoke test, in the order they are reached. */
export class Checkpoints {
  readonly reached: Checkpoint[] = [];
  readonly #now: () => number;
  readonly #tell: (checkpoint: Checkpoint) => void;

  /** @param now milliseconds since the process started */
  constructor(now: () => number, tell: (checkpoint: Checkpoint) => void) {
    this.#now = now;
    this.#tell = tell;
  }

  /** @param detail follows the name of the checkpoint */
  reach(number: number, detail = ''): void {
    const last = this.reached.at(-1)?.number ?? 0;
    if (!NEXT[last]!.includes(number)) throw new Error(`checkpoint ${number} cannot follow ${last}`);
    const checkpoint = { number, text: `${CHECKPOINTS[number - 1]!}${detail}`, atMs: this.#now() };
    this.reached.push(checkpoint);
    this.#tell(checkpoint);
  }
}
