import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Redrawn } from '../../../../dist/cli/screen/redrawn.js';

/** A terminal, as far as text, line ends and the codes of `Redrawn` go; what leaves it at the top is gone. */
class Screen {
  lines = [''];
  readonly rows: number;
  readonly columns: number;
  #row = 0;

  constructor(rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
  }

  write(text: string): void {
    // eslint-disable-next-line no-control-regex -- this is what a terminal is for
    for (const [part, up] of text.matchAll(/\u001b\[(\d+)A|\u001b\[J|\u001b\[\d+m|\r|\n|[^\u001b\r\n]+/g)) {
      if (up !== undefined) this.#row = Math.max(0, this.#row - Number(up));
      else if (part === '\u001b[J') this.lines.splice(this.#row, Infinity, '');
      else if (part === '\n') this.#down();
      else if (!/^[\u001b\r]/.test(part)) this.#print(part);
    }
  }

  #print(text: string): void {
    for (const character of text) {
      if (this.lines[this.#row]!.length === this.columns) this.#down();
      this.lines[this.#row] += character;
    }
  }

  #down(): void {
    this.#row++;
    this.lines[this.#row] ??= '';
    if (this.lines.length <= this.rows) return;
    this.lines.shift();
    this.#row--;
  }
}

const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 30, size: 'max' }), {
  minLength: 1,
  maxLength: 20,
});

test('whatever is shown one after the other, the last of it is on the screen, once, as far as it fits', () => {
  const texts = fc.array(lines, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 4, max: 30 }), fc.integer({ min: 15, max: 40 }), (shown, rows, columns) => {
      const screen = new Screen(rows, columns);
      screen.write('before\n');
      const redrawn = new Redrawn({ rows, columns });
      for (const text of shown) screen.write(redrawn.frame(`x\n\u001b[31m${text.join('\n')}\u001b[0m|\n`));
      const whole = `x\n${shown.at(-1)!.join('\n')}|`.split('\n');
      const cells = whole.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'g')) ?? ['']);
      const seen = screen.lines.filter((line) => line !== 'before').slice(0, -1);
      if (cells.length <= rows - 2) expect(seen).toEqual(cells);
      else {
        expect(seen.at(-1)).toMatch(/^… \d+ more lines$/);
        expect(seen.slice(0, -1)).toEqual(cells.slice(0, seen.length - 1));
        expect(seen.length).toBeLessThan(rows);
      }
    }),
  );
});

test('a terminal that does not tell its size is taken for one of 80 by 24', () => {
  const text = Array.from({ length: 30 }, (_, index) => `${index}`).join('\n');
  expect(new Redrawn({}).frame(text).split('\n').slice(-3)).toEqual(['21', '… 8 more lines', '']);
});
