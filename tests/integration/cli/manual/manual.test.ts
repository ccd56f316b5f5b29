import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { roff } from '../../../../dist/cli/manual/roff.js';
import { place } from '../../../support/command.js';

const PAGE = join(import.meta.dirname, '../../../../man/runtime.1');

test('the page has every command, every flag and every exit code of the help', async () => {
  const { runtime } = place();
  const page = (await runtime(['man'])).stdout.replaceAll('\\-', '-');
  const { stdout } = await runtime(['run', '--help']);
  const flags = [...stdout.matchAll(/^ {2}(--\S+)/gm)].map(([, flag]) => flag!);
  expect(flags.length).toBeGreaterThan(30);
  for (const flag of flags.filter((each) => each !== '--help')) expect(page).toContain(`\\fB${flag}`);
  for (const command of ['run', 'lock list', 'config schema', 'rm', 'completion'])
    expect(page).toContain(`.SS "runtime ${command} `);
  expect(page).toContain('Exit codes: 0 all tasks done');
  expect(page).not.toContain('runtime complete ');
});

test('a text that means something to roff is text', () => {
  expect(roff(`.x\n'y\na\\b --c`)).toBe(`\\&.x\n\\&'y\na\\eb \\-\\-c`);
});

test.runIf(spawnSync('man', ['--version']).status === 0)('man shows it without a warning', () => {
  const env = { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANROFFOPT: '' };
  const { stdout, stderr } = spawnSync('man', ['--warnings=all', '-l', PAGE], { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toContain('--threads <n>');
});
