/** Entries in one page, a power of two. */
const PAGE = 1024;

interface Page<T> {
  used: number;
  entries: (T | undefined)[];
}

/**
 * A map from sequence numbers, which come densely and in order, to what belongs
 * to them. With hundreds of thousands of entries that come and go, a `Map`
 * spends most of its time growing and rehashing; pages are added and dropped whole.
 */
export class SeqMap<T> {
  readonly #pages = new Map<number, Page<T>>();
  /** The page that was used last: the next call most likely wants it again. */
  #lastNumber = -1;
  #last: Page<T> | undefined;
  /** An empty page kept for the next: tasks that come one at a time would each make and drop one, 8 KB. */
  #spare: Page<T> | undefined;

  /** A page goes with its last entry. */
  get isEmpty(): boolean {
    return this.#pages.size === 0;
  }

  get(seq: number): T | undefined {
    return this.#page(Math.floor(seq / PAGE))?.entries[seq % PAGE];
  }

  set(seq: number, value: T): void {
    const number = Math.floor(seq / PAGE);
    let page = this.#page(number);
    if (page === undefined) {
      page = this.#spare ?? { used: 0, entries: new Array<T | undefined>(PAGE).fill(undefined) };
      this.#spare = undefined;
      this.#pages.set(number, page);
      this.#last = page;
    }
    const index = seq % PAGE;
    if (page.entries[index] === undefined) page.used++;
    page.entries[index] = value;
  }

  /** Takes the entry out and gives it. */
  take(seq: number): T | undefined {
    const number = Math.floor(seq / PAGE);
    const page = this.#page(number);
    const value = page?.entries[seq % PAGE];
    if (page === undefined || value === undefined) return undefined;
    page.entries[seq % PAGE] = undefined;
    if (--page.used === 0) {
      this.#pages.delete(number);
      this.#spare = page;
      this.#last = undefined;
      this.#lastNumber = -1;
    }
    return value;
  }

  *values(): IterableIterator<T> {
    for (const { entries } of this.#pages.values()) {
      for (const entry of entries) if (entry !== undefined) yield entry;
    }
  }

  #page(number: number): Page<T> | undefined {
    if (number !== this.#lastNumber) {
      this.#last = this.#pages.get(number);
      this.#lastNumber = number;
    }
    return this.#last;
  }
}
