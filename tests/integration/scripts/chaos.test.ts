import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const CHAOS = fileURLToPath(new URL('../../../scripts/chaos.mjs', import.meta.url));

function chaos(...args: string[]) {
  return spawnSync(process.execPath, [CHAOS, ...args], { encoding: 'utf8', timeout: 60_000 });
}

test('a run whose executor and supervisor are killed over and over keeps every promise', { timeout: 70_000 }, () => {
  const { status, stdout, stderr } = chaos('--kills', '5', '--tasks', '400', '--seed', '7');
  expect(`${stdout}${stderr}`).toContain('all that was promised held');
  expect(stdout).toMatch(/^seed +7$/m);
  expect(stdout).toMatch(/^kills +\d+ of 5: \d+ executor, \d+ supervisor, \d+ both, \d+ executor alone, \d+ keeper/m);
  expect(status).toBe(0);
});

test('a flag that is no number is refused', () => {
  const { status, stderr } = chaos('--kills', 'many');
  expect(stderr).toContain('--kills must be a whole number, got "many"');
  expect(status).toBe(64);
});
