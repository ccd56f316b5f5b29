/** What the input of a start names, held against what the run had before. */
import { formatCount } from '../../../base/units.js';
import { taskCount } from '../../screen/display.js';

/** Distinct tasks by their seqs, a bit each: an input may name one twice. */
export class NamedTasks {
  readonly #lastSeq: number;
  #bits = new Uint32Array(1024);
  #known = 0;
  #fresh = 0;

  /** @param lastSeq the highest seq of tasks that the run had before this start */
  constructor(lastSeq: number) {
    this.#lastSeq = lastSeq;
  }

  add(seq: number): void {
    const word = seq >>> 5;
    const bit = 1 << (seq & 31);
    if (word >= this.#bits.length) {
      const grown = new Uint32Array(Math.max(this.#bits.length * 2, word + 1));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    if ((this.#bits[word]! & bit) !== 0) return;
    this.#bits[word]! |= bit;
    if (seq <= this.#lastSeq) this.#known += 1;
    else this.#fresh += 1;
  }

  /** How the input compares with the `total` tasks that the run had before, in words. */
  comparedWith(total: number): string {
    const absent = total - this.#known;
    const fresh = taskCount(this.#fresh, 'new');
    if (this.#fresh === 0) {
      if (absent === 0) return `its input is the same: ${taskCount(total)}`;
      return `its input has shrunk: ${formatCount(absent)} of its ${taskCount(total)} ${isOrAre(absent)} not in it`;
    }
    if (absent === 0) return `its input has grown: ${fresh}, and the ${formatCount(total)} it had`;
    return `its input has changed: ${fresh}, and ${formatCount(absent)} of its ${taskCount(total)} ${isOrAre(absent)} not in it`;
  }
}

function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}
