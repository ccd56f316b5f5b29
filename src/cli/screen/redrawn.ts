import { stripVTControlCharacters } from 'node:util';

/** What of a terminal decides how much fits on it; `process.stdout` has it. */
interface Size {
  rows?: number;
  columns?: number;
}

/** Text that is shown again and again on a terminal, each time in place of the last. */
export class Redrawn {
  readonly #screen: Size;
  /** Rows that the last text takes. */
  #rows = 0;

  constructor(screen: Size) {
    this.#screen = screen;
  }

  /** What to write for `text` to stand where the last one stood. What does not fit on the screen is cut off, as it could not be taken away. */
  frame(text: string): string {
    const { rows: height = 24, columns: width = 80 } = this.#screen;
    const lines = text.trimEnd().split('\n');
    // The last row is for the cursor, the one before may be for what was cut.
    const room = height - 2;
    let rows = 0;
    let shown = 0;
    for (const line of lines) {
      const taken = Math.max(1, Math.ceil(stripVTControlCharacters(line).length / width));
      if (rows + taken > room) break;
      rows += taken;
      shown++;
    }
    const left = lines.length - shown;
    const kept = left > 0 ? [...lines.slice(0, shown), `… ${left} more lines`] : lines;
    const erase = this.#rows > 0 ? `\x1B[${this.#rows}A\r\x1B[J` : '';
    this.#rows = rows + (left > 0 ? 1 : 0);
    return `${erase}${kept.join('\n')}\n`;
  }
}
