/** The lock file of a run is deleted, and another start of it takes the lock: what is of the run is the second one's. */
import { existsSync, lchownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lines, parsed, place } from '../../../support/command.js';
import { waitFor } from '../../../support/wait-for.js';

test.each([[[]], [['--no-supervise']]])(
  'run %j: a run that lost its lock takes neither input nor socket away from the one that has it',
  async (more) => {
    const here = place();
    const args = ['run', 'work.mjs', '--handler', 'gate', '--lines', '--run-id', 'shared', ...more];
    const folder = join(here.dir, '.runtime', 'runs', 'shared');
    const first = here.start(args);
    await here.until('shared', ({ state }) => state === 'running');
    rmSync(join(here.dir, '.runtime', 'locks', 'shared.lock'));

    const second = here.start([...args, '--results', '-', '--wait', '10s']);
    second.stdin.write(lines(3));
    await here.until('shared', ({ counts }) => (counts['running'] ?? 0) + (counts['queued'] ?? 0) >= 3);
    first.stdin.end('of the first\n');
    const ended = await first;
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(
      /the lock file .* was (deleted|replaced)|a newer executor .* has taken|somebody removed or replaced it/,
    );

    expect(existsSync(join(folder, 'input.partial'))).toBe(true);
    expect((await here.status('shared')).state).toBe('running');
    second.stdin.end('last\n');
    await waitFor('the end of its input', () => existsSync(join(folder, 'input')));
    writeFileSync(join(here.dir, 'open'), '');
    const { exitCode, stdout } = await second;
    expect(parsed(stdout).map(({ result }) => result)).toEqual(expect.arrayContaining(['1', '2', '3', 'last']));
    expect(exitCode).toBe(0);
    expect(existsSync(join(folder, 'input'))).toBe(false);
  },
);

test.runIf(process.getuid!() === 0)('lock release does not follow the link of another user', async () => {
  const here = place();
  mkdirSync(join(here.dir, 'victim', 'locks'), { recursive: true });
  const lock = here.write('victim/locks/work.lock', '');
  symlinkSync(join(here.dir, 'victim'), join(here.dir, '.runtime'));
  lchownSync(join(here.dir, '.runtime'), 65_534, 65_534);
  const { exitCode, stderr } = await here.runtime(['lock', 'release', 'work']);
  expect(stderr).toMatch(/is a symbolic link of another user/);
  expect(exitCode).toBe(1);
  expect(existsSync(lock)).toBe(true);
});
