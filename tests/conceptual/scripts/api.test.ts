/** What docs/api.md is made from, and what is refused on the way. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { apiDocument } from '../../../scripts/api/document.mjs';
import { readSurface } from '../../../scripts/api/surface.mjs';
import { tempDir } from '../../support/temp-dir.js';

/** The page and the faults of a package that exports this. */
function made(index: string, others: Record<string, string> = {}) {
  const dist = tempDir();
  const files = { 'index.d.ts': index, 'testing.d.ts': 'export {};', ...others };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dist, file), text);
  return apiDocument(readSurface(dist));
}

test('an export is shown with its declaration, its docstring, its fields and the types that it names', () => {
  const { text, faults } = made(`
    /**
     * How to stop.
     * Or not.
     *
     * @throws HoldfastError when it does not
     */
    export interface StopOptions extends MapOptions {
      /** Whether at once. Default false. */
      force?: boolean | undefined;
    }
    /** How to map. */
    export interface MapOptions { window: number }
  `);
  expect(text).toContain(
    [
      '### StopOptions',
      '```ts\ninterface StopOptions extends MapOptions\n```',
      'How to stop. Or not.',
      'Throws [HoldfastError](#holdfasterror) when it does not.',
      '- `force?: boolean`: Whether at once. Default false.',
      'See [MapOptions](#mapoptions).',
    ].join('\n\n'),
  );
  expect(faults.filter((fault) => !fault.includes('is not exported'))).toEqual([]);
});

test('a type that a signature names and nobody can import is a fault; one that is exported, or of a package, is none', () => {
  const { faults } = made(
    `import type { Hidden } from './hidden.js';
    /** Options. */
    export interface StopOptions { hidden: Hidden; other: MapOptions; signal: AbortSignal }
    /** Others. */
    export interface MapOptions { window: number }`,
    { 'hidden.d.ts': 'export interface Hidden { a: 1 }' },
  );
  expect(faults).toContain('StopOptions names Hidden, which src/index.ts does not export');
  expect(faults.filter((fault) => fault.includes(' names ') && fault.startsWith('StopOptions'))).toHaveLength(1);
});

test('an export without a docstring, and one without a place, are faults', () => {
  const { faults } = made(`
    export interface StopOptions { force: boolean }
    /** Nobody has said where. */
    export interface Stray { a: 1 }
  `);
  expect(faults).toContain('StopOptions has no docstring');
  expect(faults).toContain('Stray must have one place in scripts/api/groups.mjs, has 0');
});
