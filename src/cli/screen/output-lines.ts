/** Text without an end of line that is held back, of one source, in characters. */
const MAX_HELD = 64 * 1024;

/**
 * Makes whole lines of what handlers print piece by piece, so that lines of two
 * threads, or a progress bar, do not mix within one.
 */
export class OutputLines {
  readonly #print: (lines: string) => void;
  readonly #held = new Map<string, string>();

  constructor(print: (lines: string) => void) {
    this.#print = print;
  }

  /** @param source whose pieces belong together */
  add(source: string, text: string): void {
    const all = (this.#held.get(source) ?? '') + text;
    const end = all.length > MAX_HELD ? all.length : all.lastIndexOf('\n') + 1;
    if (end > 0) this.#print(withEnd(all.slice(0, end)));
    if (end < all.length) this.#held.set(source, all.slice(end));
    else this.#held.delete(source);
  }

  /** Prints what has no end of line yet. */
  flush(): void {
    for (const text of this.#held.values()) this.#print(withEnd(text));
    this.#held.clear();
  }
}

function withEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
