// @ts-check
/** Tables of options in Markdown. */
import { shownDefault } from '../../dist/options/option.js';
import { sentence } from '../../dist/options/sentence.js';

/** @typedef {import('../../dist/options/option.js').Option} Option */
/** @typedef {import('../../dist/options/option.js').Options} Options */

/** The keys of a section of the config file. @param {Options} rows @param {string} [path] */
export function keysTable(rows, path = '') {
  return table(['key', 'what', 'takes', 'default'], keys(rows, path));
}

/** @param {Options} rows @param {string} path @returns {string[][]} */
function keys(rows, path) {
  return Object.entries(rows).flatMap(([key, row]) =>
    row.takes.parts === undefined
      ? [[code(path + key), cell(sentence(row)), row.takes.takes, cell(defaultOf(row))]]
      : keys(row.takes.parts, `${path}${key}.`),
  );
}

/** The flags of a command. @param {Options} rows */
export function flagsTable(rows) {
  const withFlag = Object.values(rows).filter(({ flag }) => flag !== undefined);
  const hasVariables = withFlag.some(({ variable }) => variable !== undefined);
  return table(
    ['flag', 'what', 'takes', ...(hasVariables ? ['variable'] : []), 'default'],
    withFlag.map((row) => [
      code(row.off === undefined ? row.flag : `${row.flag}\`, \`${row.flag?.replace('--', '--no-')}`),
      cell(sentence(row)),
      takesValue(row) ? row.takes.takes : '',
      ...(hasVariables ? [row.variable === undefined ? '' : code(row.variable)] : []),
      takesValue(row) || row.off !== undefined ? cell(defaultOf(row)) : '',
    ]),
  );
}

/** @param {Option} row */
const takesValue = (row) => /[<[]/.test(row.flag ?? '');

/** @param {Option} row */
function defaultOf(row) {
  return String(shownDefault(row) ?? row.unsetSays ?? 'none');
}

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  const line = (/** @type {string[]} */ cells) =>
    `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line), ''].join('\n');
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|');
/** @param {string | undefined} text */
const code = (text) => `\`${text}\``;
