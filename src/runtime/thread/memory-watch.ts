import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import type { ThreadBoard } from './board.js';
import { turnOfTheLoop } from './turn.js';

/**
 * Looks what this thread holds, on its heap and outside of it.
 *
 * Most of what a look finds may be garbage that nobody has collected yet,
 * buffers above all. So above a limit the thread collects it, and looks again.
 * The counter of external memory follows some turns of the event loop later.
 */
export class MemoryWatch {
  readonly #board: ThreadBoard;
  readonly #limit: number;

  /** @param limits in bytes; what lies above one of them is told apart from garbage */
  constructor(board: ThreadBoard, limits: readonly (number | undefined)[]) {
    this.#board = board;
    this.#limit = Math.min(...limits.map((limit) => limit ?? Infinity));
  }

  /** Whether what is held, garbage included, is above a limit. */
  get isHigh(): boolean {
    return this.#limit !== Infinity && this.#used > this.#limit;
  }

  /** Gives the bytes that are held for certain, if they are above a limit. One look at a time. */
  async lookClosely(): Promise<number> {
    for (let round = 0; round < 2 && this.#used > this.#limit; round++) {
      await turnOfTheLoop();
      collectGarbage();
      await turnOfTheLoop();
    }
    return this.#used;
  }

  get #used(): number {
    this.#board.measure();
    const { heap, external } = this.#board.memory;
    return heap + external;
  }
}

let gc: (() => void) | undefined;

/** V8 offers it to scripts only where it was started so, and to contexts that are made while it is on. */
function collectGarbage(): void {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  gc();
}
