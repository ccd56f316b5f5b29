/** What a start loads, as far as the built files import it without being asked. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const DIST = new URL('../../../dist/', import.meta.url);

/** What a built file imports, and what these import: files of ours by their path, packages by their name. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(new URL(file, DIST), 'utf8');
  for (const [, from] of text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'|^import '([^']+)'/gm)) {
    if (from === undefined) continue;
    if (from.startsWith('.')) importsOf(new URL(from, new URL(file, DIST)).href.slice(DIST.href.length), seen);
    else seen.add(from);
  }
  return seen;
}

test('the command itself loads no table of a command that was not asked for', () => {
  const loaded = importsOf('cli/main.js');
  expect(loaded).toContain('commander');
  expect(loaded).toContain('options/common-options.js');
  for (const file of ['run', 'dry-run', 'smoke']) expect(loaded).not.toContain(`options/${file}-options.js`);
});

test.each(['cli/main.js', 'cli/run/run-command.js', 'cli/run/run.js', 'cli/run/run-flags.js', 'config/load-config.js'])(
  '%s loads neither zod nor a store',
  (file) => {
    const loaded = [...importsOf(file)];
    expect(loaded.length).toBeGreaterThan(5);
    expect(loaded.filter((each) => /^zod|^pino|^better-sqlite3|queue\/sqlite\/sqlite-queue/.test(each))).toEqual([]);
  },
);
