import { atExit } from '../../base/at-exit.js';

/** What of a terminal is needed; `process.stdout` has it, and writes to a terminal before `write` returns. */
export interface FullScreenTerminal {
  rows?: number;
  columns?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** The second screen that terminals have: what was on the first is there again after it. */
const ENTER = '\x1B[?1049h\x1B[?25l';
const LEAVE = '\x1B[?25h\x1B[?1049l';
/** A line that is too long is cut off by the terminal, which alone knows how wide each character is. */
const CUT = '\x1B[?7l';
const WRAP = '\x1B[?7h';

/** Draws the whole of a terminal again and again, and leaves it as it was found, however the process ends. */
export class FullScreen {
  readonly #terminal: FullScreenTerminal;
  readonly #draw: (size: { rows: number; columns: number }) => readonly string[];
  readonly #forget: () => void;
  readonly #onResize = () => this.redraw();
  #entered = false;

  /** @param draw gives the lines to be shown; they may have colours */
  constructor(terminal: FullScreenTerminal, draw: (size: { rows: number; columns: number }) => readonly string[]) {
    this.#terminal = terminal;
    this.#draw = draw;
    this.#forget = atExit(() => this.#leave());
    terminal.on('resize', this.#onResize);
    this.#enter();
  }

  redraw(): void {
    if (!this.#entered) return;
    // A terminal that does not tell its size is taken for one of 80 by 24.
    const { rows = 24, columns = 80 } = this.#terminal;
    const lines = this.#draw({ rows, columns });
    const left = lines.length - rows;
    const shown = left > 0 ? [...lines.slice(0, rows - 1), `… ${left + 1} more lines`] : lines;
    // Each line is cleared behind its end, and the rest below: to clear all of it first would flicker.
    this.#terminal.write(`${CUT}\x1B[H${shown.map((line) => `${line}\x1B[K`).join('\r\n')}\x1B[J${WRAP}`);
  }

  /** Gives the terminal back while `meanwhile` runs: while the process is stopped by Ctrl-Z, say. */
  suspend(meanwhile: () => void): void {
    this.#leave();
    meanwhile();
    this.#enter();
    this.redraw();
  }

  close(): void {
    this.#leave();
    this.#terminal.off('resize', this.#onResize);
    this.#forget();
  }

  #enter(): void {
    this.#terminal.write(ENTER);
    this.#entered = true;
  }

  #leave(): void {
    if (this.#entered) this.#terminal.write(LEAVE);
    this.#entered = false;
  }
}
