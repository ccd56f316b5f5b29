import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputLines } from '../../../../dist/cli/screen/output-lines.js';

test('however the text of each source is cut, whole lines of it are printed, and all of them in their order', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 8 });
  const pieces = fc.array(fc.record({ source: fc.constantFrom('1', '2', '3'), text: piece }));
  fc.assert(
    fc.property(pieces, (given) => {
      // Sources are told apart by what they print.
      const marked = given.map(({ source, text }) => ({ source, text: text.replaceAll(/[ab]/g, source) }));
      let printed = '';
      const output = new OutputLines((lines) => {
        expect(lines.endsWith('\n')).toBe(true);
        printed += lines;
      });
      for (const { source, text } of marked) output.add(source, text);
      output.flush();
      output.flush();
      for (const source of ['1', '2', '3']) {
        const all = marked.filter((one) => one.source === source).map(({ text }) => text);
        const expected = all.join('').split('\n').filter(Boolean);
        expect(printed.split('\n').filter((line) => line.startsWith(source))).toEqual(expected);
      }
      // No line has text of two sources.
      expect(printed.split('\n').every((line) => new Set(line).size <= 1)).toBe(true);
    }),
  );
});

test('a line that does not end is not held for ever', () => {
  const printed: string[] = [];
  const output = new OutputLines((lines) => printed.push(lines));
  for (let i = 0; i < 100; i++) output.add('1', 'x'.repeat(1024));
  expect(printed).toEqual([`${'x'.repeat(65 * 1024)}\n`]);
  output.flush();
  expect(printed[1]).toBe(`${'x'.repeat(35 * 1024)}\n`);
});
