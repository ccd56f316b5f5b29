import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INSPECTION_SCHEMA } from '../../../dist/debug/inspection.js';
import { documentedFields, leafKinds, typedFields } from '../../support/inspection-format.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/inspection-format.md'), 'utf8');

test('every field of an inspection is documented, and no other one', () => {
  expect(Object.keys(typedFields())).toContain('Inspection');
  expect(documentedFields()).toEqual(typedFields());
});

test('the page tells of the version there is, and of every kind of leaf', () => {
  expect(page).toContain(`\`schema\` is ${INSPECTION_SCHEMA}.`);
  expect(leafKinds().filter((kind) => !page.includes(`\`${kind}\``))).toEqual([]);
});
