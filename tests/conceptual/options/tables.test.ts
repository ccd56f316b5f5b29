/** An option is said once: whatever is made of its row is current, and the row says all that is needed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addFlags, flagNames } from '../../../dist/cli/arguments/flags.js';
import { MAX_PAUSE_MS } from '../../../dist/debug/max-pause.js';
import { DRY_RUN_OPTIONS } from '../../../dist/options/dry-run-options.js';
import { INSPECT_OPTIONS } from '../../../dist/options/inspect-options.js';
import type { Options } from '../../../dist/options/option.js';
import { readOption } from '../../../dist/options/read-options.js';
import { RUN_OPTIONS } from '../../../dist/options/run-options.js';
import { SMOKE_OPTIONS } from '../../../dist/options/smoke-options.js';
import { generated, ROOT } from '../../../scripts/generate/generated.mjs';

describe('what is generated is current (else: npm run generate)', () => {
  test.each([...generated()])('%s', (file, content) => {
    const there = readFileSync(join(ROOT, file), 'utf8');
    if (file.endsWith('.json')) expect(JSON.parse(there)).toEqual(JSON.parse(content));
    else expect(there).toBe(content);
  });
});

describe.each<[string, Options]>([
  ['run', RUN_OPTIONS],
  ['dry-run', DRY_RUN_OPTIONS],
  ['smoke', SMOKE_OPTIONS],
  ['inspect', INSPECT_OPTIONS],
])('the table of %s', (_, rows) => {
  const command = addFlags(new Command('x'), rows);

  test('names each option as commander does', () => {
    const named = Object.keys(rows).filter((key) => rows[key]!.flag !== undefined);
    expect([...new Set(command.options.map((option) => option.attributeName()))]).toEqual(named);
    expect(command.options.map(({ long }) => long)).toEqual(flagNames(rows));
  });

  test('has sentences that go on behind a flag: no capital, no end', () => {
    for (const [key, { says, off }] of Object.entries(rows)) {
      for (const text of [says, off])
        if (typeof text === 'string') expect(text, key).toMatch(/^(?!.*\.$)(?:[^A-Z]|NDJSON|JavaScript)/);
    }
  });

  test('has defaults that each option takes itself', () => {
    for (const [key, row] of Object.entries(rows)) {
      if (row.required) continue;
      expect(() => readOption(row, undefined, 'code'), key).not.toThrow();
    }
  });
});

test('a look of the command takes no longer than any other, unless it is said', () => {
  expect(readOption(INSPECT_OPTIONS.maxPause, undefined, 'flag')).toBe(MAX_PAUSE_MS);
});
