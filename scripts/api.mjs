// @ts-check
/**
 * Writes docs/api.md, made from the declarations that are published and their docstrings: of `npm run generate`.
 * With `--check`, fails where it is not current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { apiDocument } from './api/document.mjs';
import { readSurface } from './api/surface.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const FILE = join(ROOT, 'docs/api.md');

const { text, faults } = apiDocument(readSurface(join(ROOT, 'dist')));
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('docs/api.md is not current: npm run build && npm run generate');
  process.exitCode = 1;
}
