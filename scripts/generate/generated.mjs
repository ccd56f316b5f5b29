// @ts-check
/** What is made from the tables of options, for people and editors: files, and tables in documents. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '../../dist/config/json-schema.js';
import { CONFIG_OPTIONS } from '../../dist/config/schema.js';
import { DRY_RUN_OPTIONS } from '../../dist/options/dry-run-options.js';
import { INSPECT_OPTIONS } from '../../dist/options/inspect-options.js';
import { SMOKE_OPTIONS } from '../../dist/options/smoke-options.js';
import { flagsTable, keysTable } from './tables.mjs';

export const ROOT = join(import.meta.dirname, '../..');

const partsOf = (/** @type {string} */ section) => CONFIG_OPTIONS[section]?.takes.parts ?? {};

/** What stands between `<!-- name -->` and `<!-- / -->`, by the document. */
const TABLES = {
  'docs/config.md': {
    keys: keysTable(
      Object.fromEntries(Object.entries(CONFIG_OPTIONS).filter(([, { takes }]) => takes.parts === undefined)),
    ),
    'keys of run': keysTable(partsOf('run'), 'run.'),
    'keys of dryRun': keysTable(partsOf('dryRun'), 'dryRun.'),
    'keys of smoke': keysTable(partsOf('smoke'), 'smoke.'),
  },
  'docs/dry-run.md': { flags: flagsTable(DRY_RUN_OPTIONS) },
  'docs/inspect.md': { flags: flagsTable(INSPECT_OPTIONS) },
  'docs/smoke.md': { flags: flagsTable(SMOKE_OPTIONS) },
};

/** Each generated file, by its path from the root, with its content as it should be. */
export function generated() {
  const files = new Map([
    ['config.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
    ['man/runtime.1', execFileSync(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'man'], { encoding: 'utf8' })],
  ]);
  for (const [file, tables] of Object.entries(TABLES)) files.set(file, withTables(file, tables));
  return files;
}

/** @param {string} file @param {Record<string, string>} tables */
function withTables(file, tables) {
  let text = readFileSync(join(ROOT, file), 'utf8');
  for (const [name, table] of Object.entries(tables)) {
    const begin = `<!-- ${name} -->\n`;
    const from = text.indexOf(begin);
    const to = text.indexOf('<!-- / -->', from);
    if (from < 0 || to < 0) throw new Error(`${file} has no place for the table "${name}"`);
    text = `${text.slice(0, from)}${begin}\n${table}\n${text.slice(to)}`;
  }
  return text;
}
