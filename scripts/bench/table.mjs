// @ts-check
/** Rows as a table for the terminal, and for `docs/`. */

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Unit} Unit */
/** @typedef {import('./statistics.mjs').Measured} Measured */

/** Those that take part in several rows have columns; the others stand beside their figure. */
const COLUMNS = ['piscina', 'tinypool', 'workerpool', 'poolifier'];

/** @param {readonly Row[]} rows */
function headers(rows) {
  return ['', 'what', 'holdfast', ...(hasBefore(rows) ? ['before'] : []), ...COLUMNS, 'ratio', 'bar', ''];
}

/** Only `--against` brings another build. @param {readonly Row[]} rows */
function hasBefore(rows) {
  return rows.some(({ before }) => before !== undefined);
}

/**
 * A cell is a few lines: a figure, between what it lay, and of the build of before, what ours came to of it.
 * @param {readonly Row[]} rows
 * @returns {string[][][]}
 */
function cells(rows) {
  return rows.map((row) => {
    const { id, what, unit, ours, before, peers, ratio, bar } = row;
    const others = Object.entries(peers).filter(([name]) => !COLUMNS.includes(name));
    const columns = COLUMNS.map((name) => peers[name]);
    return [
      [String(id)],
      [what],
      figure(ours, unit),
      ...(hasBefore(rows)
        ? [before === undefined ? ['-'] : [...figure(before.figure, unit), `now ${short(before.ratio.value)}x`]]
        : []),
      ...columns.map((peer, index) => {
        const [other] = others;
        if (peer !== undefined) return figure(peer, unit);
        // Rows with peers of their own have none of the pools.
        return index === 0 && other !== undefined ? [`${other[0]}:`, ...figure(other[1], unit)] : ['-'];
      }),
      ratio === undefined ? ['-'] : [`${short(ratio.value)}x`, spread(ratio)],
      [bar?.text ?? '-'],
      [bar?.judge(row) ?? ''],
    ].map((lines) => lines.filter((line) => line !== ''));
  });
}

/** @param {readonly Row[]} rows */
export function terminalTable(rows) {
  const table = [headers(rows).map((header) => [header]), ...cells(rows)];
  const widths = headers(rows).map((_, column) =>
    Math.max(...table.flatMap((row) => row[column] ?? []).map((line) => line.length)),
  );
  const lines = table.flatMap((row) =>
    Array.from({ length: Math.max(...row.map((cell) => cell.length)) }, (_, line) =>
      row
        .map((cell, column) => (cell[line] ?? '').padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
  );
  return `${lines.join('\n')}\n`;
}

/** @param {readonly Row[]} rows */
export function markdownTable(rows) {
  const line = (/** @type {string[]} */ columns) => `| ${columns.join(' | ')} |`;
  return [
    line(headers(rows)),
    line(headers(rows).map(() => '---')),
    ...cells(rows).map((row) => line(row.map(([first = '', ...rest]) => [first, ...rest].join('<br>')))),
  ].join('\n');
}

/** @param {Measured} measured @param {Unit} unit */
function figure(measured, unit) {
  const suffix = unit.endsWith('/s') ? '/s' : ` ${unit}`;
  return [`${short(measured.value)}${suffix}`, spread(measured)];
}

/** @param {Measured} measured */
function spread({ min, max }) {
  return min === max ? '' : `${short(min)} to ${short(max)}`;
}

/** Three digits that count. */
function short(/** @type {number} */ value) {
  if (value >= 1_000_000) return `${(value / 1e6).toPrecision(3)}M`;
  if (value >= 10_000) return `${Number((value / 1e3).toPrecision(3))}k`;
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** @param {Measured} measured */
export function range({ min, max }) {
  return `${min.toFixed(2)} to ${max.toFixed(2)}`;
}
