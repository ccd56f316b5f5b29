// @ts-check
/** The measured part of `docs/benchmarks.md`; what people wrote around it stays. */
import { readFileSync, writeFileSync } from 'node:fs';
import { markdownTable } from './table.mjs';

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {ReturnType<typeof import('./machine.mjs').machine>} Machine */

const FILE = new URL('../../docs/benchmarks.md', import.meta.url);
const BEGIN = '<!-- measured: written by npm run bench -- --write -->';
const END = '<!-- end of what was measured -->';

/**
 * @param {Machine} machine
 * @param {readonly Row[]} rows
 */
export function writeDocument(machine, rows) {
  const text = readFileSync(FILE, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${FILE.pathname} has lost the marks between which figures go`);
  writeFileSync(FILE, `${text.slice(0, begin + BEGIN.length)}\n\n${measuredPart(machine, rows)}\n\n${text.slice(end)}`);
}

/**
 * @param {Machine} machine
 * @param {readonly Row[]} rows
 */
function measuredPart(machine, rows) {
  const { date, cores, processor, system, node, fileSystem, fsyncMs, loadBefore, versions } = machine;
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date}: ${cores} cores (${processor}), ${system}, Node ${node}, ${fileSystem}, ` +
      `${fsyncMs.toFixed(2)} ms for an fsync of 4 KB, load ${loadBefore.toFixed(1)} before the start. ${peers.join(', ')}.`,
    '',
    markdownTable(rows),
    '',
    'How each row was measured:',
    '',
    ...rows.map(({ id, what, how }) => `- **${id}, ${what}.** ${how}`),
  ].join('\n');
}
