/** A terminal that is drawn over as a whole, and given back as it was found. */
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { FullScreen } from '../../../../dist/cli/screen/full-screen.js';

/** A terminal, as far as the codes of `FullScreen` go: two screens, and whether the cursor is shown and lines wrap. */
class Terminal extends EventEmitter {
  rows = 4;
  columns = 10;
  first = ['before'];
  second: string[] | undefined;
  cursor = true;
  wraps = true;
  #row = 0;
  #column = 0;

  write(text: string): void {
    // eslint-disable-next-line no-control-regex -- this is what a terminal is for
    for (const [part] of text.matchAll(/\u001b\[[?]?\d*[a-zA-Z]|\r\n|[^\u001b\r]/gu)) {
      if (part === '\u001b[?1049h') this.second = [];
      else if (part === '\u001b[?1049l') this.second = undefined;
      else if (part === '\u001b[?25l' || part === '\u001b[?25h') this.cursor = part.endsWith('h');
      else if (part === '\u001b[?7l' || part === '\u001b[?7h') this.wraps = part.endsWith('h');
      else if (part === '\u001b[H') [this.#row, this.#column] = [0, 0];
      else if (part === '\u001b[K') this.#line = this.#line.slice(0, this.#column);
      else if (part === '\u001b[J') this.second = this.second!.slice(0, this.#row + 1);
      else if (part === '\r\n') [this.#row, this.#column] = [this.#row + 1, 0];
      else if (!part.startsWith('\u001b')) this.#print(part);
    }
  }

  get #line(): string {
    return this.second![this.#row] ?? '';
  }

  set #line(text: string) {
    this.second![this.#row] = text;
  }

  #print(character: string): void {
    expect(this.second).toBeDefined();
    expect(this.wraps).toBe(false);
    if (this.#column >= this.columns) return;
    this.#line =
      this.#line.slice(0, this.#column).padEnd(this.#column) + character + this.#line.slice(this.#column + 1);
    this.#column++;
  }
}

const asFound = (terminal: Terminal) =>
  expect(terminal).toMatchObject({ first: ['before'], second: undefined, cursor: true, wraps: true });

describe('what is drawn', () => {
  test('takes the place of what was drawn before, is cut to the screen, and follows its size', () => {
    const terminal = new Terminal();
    let lines = ['one', 'a line that is long', 'three'];
    const screen = new FullScreen(terminal, () => lines);
    screen.redraw();
    expect(terminal.second).toEqual(['one', 'a line tha', 'three']);
    lines = ['1', 'short'];
    screen.redraw();
    expect(terminal.second).toEqual(['1', 'short']);
    lines = ['1', '2', '3', '4', '5', '6'];
    screen.redraw();
    expect(terminal.second).toEqual(['1', '2', '3', '… 3 more l']);
    [terminal.rows, terminal.columns] = [6, 20];
    terminal.emit('resize');
    expect(terminal.second).toEqual(lines);
    screen.close();
    asFound(terminal);
    expect(terminal.listenerCount('resize')).toBe(0);
  });

  test('is gone while the process is stopped, and is there again after it', () => {
    const terminal = new Terminal();
    const screen = new FullScreen(terminal, () => ['one']);
    screen.redraw();
    screen.suspend(() => {
      asFound(terminal);
      terminal.emit('resize');
      asFound(terminal);
    });
    expect(terminal.second).toEqual(['one']);
    screen.close();
  });

  test('is taken away at the end of the process, however it ends', () => {
    const terminal = new Terminal();
    const screen = new FullScreen(terminal, () => ['one']);
    screen.redraw();
    const listeners = process.listeners('exit');
    for (const listener of listeners) if (listener.name === 'runAll') listener.call(process, 0);
    asFound(terminal);
    screen.close();
    asFound(terminal);
  });
});
