/** Where `--results` and `--junit` may write, and what happens with a pipe that nobody reads. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { linkSync, openSync, readFileSync, symlinkSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lines, MAIN, parsed, place, type Place } from '../../../../support/command.js';
import { longTestAfter } from '../../../../support/long.js';
import { waitFor } from '../../../../support/wait-for.js';

const REFUSED: [what: string, target: (here: Place) => string, says: RegExp][] = [
  ['the module', () => 'work.mjs', /is the module of the handlers/],
  ['a link to the module', (here) => link(symlinkSync, here, 'work.mjs'), /is the module of the handlers/],
  ['the config file', () => 'runtime.config.json', /is the config file/],
  ['a file of something else', () => 'notes.txt', /is there, and holds no outcomes/],
  ['the file that is standard input', () => 'input.txt', /is standard input/],
  [
    'another name of the queue',
    (here) => link(linkSync, here, '.runtime/runs/work/queue.db'),
    /is a file of the run work/,
  ],
  ['another name of the module', (here) => link(linkSync, here, 'work.mjs'), /is the module of the handlers/],
  ['the queue', () => '.runtime/runs/work/queue.db', /lies in .*runs, where the state of runs is/],
  ['a link to the queue', (here) => link(symlinkSync, here, '.runtime/runs/work/queue.db'), /lies in .*runs/],
  ['a new file in the folder of the run', () => '.runtime/runs/work/new', /lies in .*runs/],
  ['a file in a folder of that folder that is not there', () => '.runtime/runs/a/b/new', /lies in .*runs/],
  ['the lock of another run', () => '.runtime/locks/other.lock', /lies in .*locks/],
];

/** Where it does not matter who runs the tasks. */
const ALONE = ['--no-supervise', '--threads', '1'];

function link(make: (from: string, to: string) => void, { dir }: Place, target: string): string {
  make(join(dir, target), join(dir, 'other-name'));
  return 'other-name';
}

/** As a shell does it for `< input.txt`. */
function runFrom(input: string, { dir }: Place, args: readonly string[]): { status: number | null; stderr: string } {
  const fd = openSync(join(dir, input), 'r');
  try {
    const env = { ...process.env, RUNTIME_DIR: '' };
    return spawnSync(process.execPath, [MAIN, ...args], {
      cwd: dir,
      stdio: [fd, 'pipe', 'pipe'],
      encoding: 'utf8',
      env,
    });
  } finally {
    closeSync(fd);
  }
}

longTestAfter(7, REFUSED)('--results is refused for %s', async (_, targetIn, says) => {
  const here = place();
  here.write('runtime.config.json', '{}');
  here.write('input.txt', lines(3));
  here.write('notes.txt', '{"id":"a","input":1}\n');
  expect(await here.runtime(['run', 'work.mjs', '--lines', ...ALONE], { input: lines(2) })).toMatchObject({
    exitCode: 0,
  });
  const target = targetIn(here);
  const before = contentOf(here, target);

  const ended = runFrom('input.txt', here, ['run', 'work.mjs', '--lines', '--results', target]);
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).toMatch(/--results: .*and would be overwritten/);
  expect(ended.status).toBe(64);
  expect(contentOf(here, target)).toBe(before);
});

function contentOf({ dir }: Place, name: string): string | undefined {
  try {
    return readFileSync(join(dir, name), 'latin1');
  } catch {
    return undefined;
  }
}

test('--results may lie in the state folder, but for what is of the runs', async () => {
  const here = place();
  const ended = await here.runtime(['run', 'work.mjs', '--lines', '--results', '.runtime/out.ndjson'], {
    input: lines(2),
  });
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(parsed(contentOf(here, '.runtime/out.ndjson')!)).toHaveLength(2);
});

test('--junit is refused for the config file', async () => {
  const here = place();
  here.write('runtime.config.json', '{}');
  const ended = await here.runtime(['smoke', '--junit', 'runtime.config.json']);
  expect(ended.stderr).toMatch(/--junit: "runtime.config.json" is the config file, and would be overwritten/);
  expect(ended.exitCode).toBe(64);
  expect(contentOf(here, 'runtime.config.json')).toBe('{}');
});

test.each([[[]], [['--no-supervise']]])(
  'run %j: a pipe that nobody reads is told, and the first signal ends the run',
  async (more) => {
    const here = place();
    execFileSync('mkfifo', [join(here.dir, 'pipe')]);
    const run = here.start(['run', 'work.mjs', '--lines', '--results', 'pipe', ...more], { input: lines(3) });
    let stderr = '';
    run.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await waitFor('it to be told', () => stderr.includes('nobody reads the pipe pipe yet: waiting for a reader'));
    run.kill('SIGINT');
    expect(await run).toMatchObject({ exitCode: 130 });
  },
);

test('a pipe that is read later gets every outcome', async () => {
  const here = place();
  const pipe = join(here.dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const run = here.start(['run', 'work.mjs', '--lines', '--results', 'pipe'], { input: lines(2000) });
  let stderr = '';
  run.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await waitFor('it to be told', () => stderr.includes('waiting for a reader'));
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let read = '';
  reader.stdout.on('data', (chunk: Buffer) => (read += chunk.toString()));
  const closed = new Promise((resolve) => reader.once('close', resolve));
  expect(await run).toMatchObject({ exitCode: 0 });
  await closed;
  expect(parsed(read)).toHaveLength(2000);
});

test('a named pipe of tasks that nobody writes to: the first signal ends the run', async () => {
  const here = place();
  execFileSync('mkfifo', [join(here.dir, 'tasks')]);
  const run = here.start(['run', 'work.mjs', '--tasks', 'tasks']);
  await here.until('work', ({ state }) => state === 'running');
  run.kill('SIGINT');
  expect(await run).toMatchObject({ exitCode: 130 });
});

longTestAfter<[string, (text: string) => string]>(1, [
  ['cut off in its first line', (text) => text.slice(0, 20)],
  ['whole', (text) => text],
  ['empty', () => ''],
])('what an earlier run has written, %s, is written anew', async (_, cut) => {
  const here = place();
  const args = ['run', 'work.mjs', '--lines', '--results', 'out.ndjson', ...ALONE];
  expect((await here.runtime(args, { input: lines(2) })).exitCode).toBe(0);
  const before = contentOf(here, 'out.ndjson');
  here.write('out.ndjson', cut(before!));
  expect((await here.runtime(args, { input: lines(2) })).exitCode).toBe(0);
  expect(contentOf(here, 'out.ndjson')).toBe(before);
});
