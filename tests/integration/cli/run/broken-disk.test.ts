/** The disk of a run breaks in the middle of it: told in words, nothing told that is not there, and it goes on once that is mended. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TestContext } from 'vitest';
import { breakableDisk } from '../../../support/broken-disk.js';
import type { Trouble } from '../../../support/broken-disk.js';
import { lines, parsed, place } from '../../../support/command.js';
import { longTest } from '../../../support/long.js';

const TASKS = 60;

/** At task 20 the disk breaks, once there are results of others. */
const handlers = (trigger: string, trouble: string) => `
  import { existsSync, readFileSync, writeFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const isTold = () => existsSync('out.ndjson') && readFileSync('out.ndjson', 'utf8') !== '';
  export default async (input) => {
    if (input === '20' && !existsSync('mended')) {
      while (!isTold()) await sleep(5);
      writeFileSync(${JSON.stringify(trigger)}, ${JSON.stringify(trouble)});
    }
    return input;
  };`;

/** At task 20 something else fills the disk. Results are large, so that to record them takes more of it. */
const FILLING = `
  import { appendFileSync, existsSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const fill = () => {
    for (let bytes = 1 << 20; bytes > 0; ) {
      try {
        appendFileSync('disk/filler', Buffer.alloc(bytes));
      } catch {
        bytes >>= 1;
      }
    }
  };
  export default async (input) => {
    if (input === 20 && !existsSync('mended')) fill();
    await sleep(1);
    return 'x'.repeat(100_000);
  };`;

const TROUBLES: [what: string, trouble: Trouble, words: string, hint: string][] = [
  ['an fsync fails', ['sync', 'EIO'], 'the queue cannot be read or written: ', 'Check the disk'],
  ['it is full', ['write', 'ENOSPC'], 'the disk that holds the queue is full: ', 'Free some space on that disk'],
  ['the quota is used up', ['write', 'EDQUOT'], 'the queue cannot be read or written: ', 'its quota'],
  ['it has become read-only', ['write', 'EROFS'], 'the queue cannot be read or written: ', 'Check the disk'],
];

/** An fsync that fails stands for the others: they are long tests. */
for (const [what, ...trouble] of TROUBLES) {
  for (const flags of [[], ['--no-supervise']]) {
    const attempt = trouble[0][0] === 'sync' ? test : longTest;
    attempt(`${what}: told, and mended ${JSON.stringify(flags)}`, (context) => breaks(trouble, flags, context));
  }
}

async function breaks([trouble, words, hint]: [Trouble, string, string], flags: string[], context: TestContext) {
  const disk = breakableDisk();
  if (typeof disk === 'string') return context.skip(disk);
  const here = place();
  here.write('work.mjs', handlers(disk.trigger, disk.text(trouble)));
  const command = [
    'run',
    'work.mjs',
    '--lines',
    '--threads',
    '1',
    '--concurrency',
    '4',
    '--results',
    'out.ndjson',
    ...flags,
  ];
  const broken = await here.runtime(command, { input: lines(TASKS), env: disk.env });
  expect(broken.stderr).toContain(words);
  expect(broken.stderr).toContain(join(here.dir, '.runtime'));
  expect(broken.stderr).toContain(hint);
  expect(broken.stderr).not.toMatch(/^ {4}at /m);
  expect(broken.exitCode).toBe(1);

  disk.mend();
  const told = parsed(readFileSync(join(here.dir, 'out.ndjson'), 'utf8'));
  const recorded = parsed((await here.runtime(['results', 'work'])).stdout);
  expect(told.length).toBeGreaterThan(0);
  expect(recorded).toEqual(expect.arrayContaining(told));

  here.write('mended', '');
  const again = await here.runtime(command, { input: lines(TASKS), env: disk.env });
  expect(again.exitCode).toBe(0);
  expect(existsSync(disk.trigger)).toBe(false);
  const all = parsed(readFileSync(join(here.dir, 'out.ndjson'), 'utf8'));
  expect(all).toHaveLength(TASKS);
  expect(new Set(all.map(({ id }) => id)).size).toBe(TASKS);
  expect(all).toEqual(expect.arrayContaining(told));
}

for (const flags of [[], ['--no-supervise']]) {
  test(`a small disk that is full, in the middle of a run: told, and mended ${JSON.stringify(flags)}`, async (context) => {
    const here = place();
    const why = mountSmallDisk(join(here.dir, 'disk'));
    if (why !== undefined) return context.skip(why);
    here.write('work.mjs', FILLING);
    here.write('tasks.ndjson', lines(TASKS).replaceAll(/^\d+$/gm, '{"input":$&}'));
    const command = ['run', 'work.mjs', '--tasks', 'tasks.ndjson', '--threads', '1', '--dir', 'disk/state', ...flags];
    const full = await here.runtime([...command, '--results', 'out.ndjson']);
    expect(full.stderr).toContain('the disk that holds the queue is full: ');
    expect(full.stderr).toContain('Free some space on that disk');
    expect(full.exitCode).toBe(1);

    rmSync(join(here.dir, 'disk/filler'));
    const told = parsed(readFileSync(join(here.dir, 'out.ndjson'), 'utf8'));
    const recorded = parsed((await here.runtime(['results', 'work', '--dir', 'disk/state'])).stdout);
    expect(recorded).toEqual(expect.arrayContaining(told));
    here.write('mended', '');
    const again = await here.runtime([...command, '--results', 'out.ndjson']);
    expect(again.exitCode).toBe(0);
    expect(parsed(readFileSync(join(here.dir, 'out.ndjson'), 'utf8'))).toHaveLength(TASKS);
  });
}

/** Gives why that is not possible here. */
function mountSmallDisk(folder: string): string | undefined {
  mkdirSync(folder);
  const { status, error, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) return `no small disk can be mounted here: ${error?.message ?? stderr}`;
  onTestFinished(() => void spawnSync('umount', ['--lazy', folder]));
  return undefined;
}
