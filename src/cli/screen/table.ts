import { stripVTControlCharacters } from 'node:util';

/** Rows as lines, their columns aligned; colours take no room. */
export function table(rows: readonly (readonly string[])[]): string {
  const widthOf = (cell: string) => stripVTControlCharacters(cell).length;
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))));
  const padded = (cell: string, column: number) => cell + ' '.repeat(widths[column]! - widthOf(cell));
  return rows.map((row) => `${row.map(padded).join('  ').trimEnd()}\n`).join('');
}
