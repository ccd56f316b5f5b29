/** What is typed wrong is told all together, in words, before anything is started; and help is near. */
import { existsSync, mkdirSync, readFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { place } from '../../support/command.js';
import { longTestAfter } from '../../support/long.js';

describe('a run that is refused', () => {
  const HELP = 'runtime run --help lists every flag with an example.\n';

  test.each([
    [
      'nothing at all',
      [],
      ['<module>: is missing', 'no tasks: give one of --each <glob>, --tasks <file|->, --lines', HELP],
    ],
    [
      'every fault at once',
      [
        'work.mjs',
        '--lines',
        '--each',
        'x',
        '--threads',
        '0',
        '--timeout',
        '5',
        '--memory',
        '1',
        '--thread',
        '3',
        'more',
      ],
      [
        '--each and --lines: a run has one source of tasks',
        '--threads: must be a whole number from 1 to 1024, got 0',
        '--timeout: "5" has no unit',
        '--memory: "1" has no unit',
        '--thread: is not a flag of runtime run; did you mean "--threads"?',
        'more: is one argument too many',
        HELP,
      ],
    ],
    [
      'two documents on one stream',
      ['work.mjs', '--lines', '--results', '-', '--json'],
      ['--results - and --json: both'],
    ],
    [
      'a run id that leaves its folder',
      ['work.mjs', '--lines', '--run-id', '../x'],
      ['--run-id: must be 1 to 128 letters'],
    ],
    [
      'a module that makes no run id',
      ['日本.mjs', '--lines'],
      ['--run-id: the name of the module makes none: choose one'],
    ],
    ['an empty folder name', ['work.mjs', '--lines', '--dir', ''], ['--dir: must be the path of a folder']],
    ['a module that is not there', ['nope.mjs', '--lines'], ['nope.mjs: there is no such file']],
    [
      'an export that is not there',
      ['work.mjs', '--lines', '--handler', 'nope'],
      ['exports no function "nope"', 'It exports: '],
    ],
    [
      'a glob that matches nothing',
      ['work.mjs', '--each', '*.nope'],
      ['--each: no file matches "*.nope"', 'Quote the glob'],
    ],
    ['a glob that is a folder', ['work.mjs', '--each', 'folder'], ["for the files in it: --each 'folder/**'"]],
    [
      'a task file that is not there',
      ['work.mjs', '--tasks', 'nope'],
      ['--tasks: "nope" cannot be read: there is no such file'],
    ],
    [
      'a task file that is a folder',
      ['work.mjs', '--tasks', 'folder'],
      ['--tasks: "folder" cannot be read: it is a folder'],
    ],
    [
      'results into a folder',
      ['work.mjs', '--each', 'work.mjs', '--results', 'folder'],
      ['--results: "folder" cannot be written'],
    ],
    ['results nowhere', ['work.mjs', '--each', 'work.mjs', '--results', 'no/x'], ['there is no such folder']],
  ])('for %s ends with 64, and leaves nothing behind', async (_, args, expected) => {
    const { dir, runtime } = place();
    mkdirSync(join(dir, 'folder'));
    const { exitCode, stdout, stderr } = await runtime(['run', ...args]);
    expect(stderr).toMatch(/^runtime: /);
    for (const words of expected) expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).toBe('');
    expect(exitCode).toBe(64);
    for (const name of ['.runtime', 'runs', 'locks']) expect(existsSync(join(dir, name)), name).toBe(false);
  });

  longTestAfter(1, [['--handler nope'], ['--threads 0'], ['--results no/x']])(
    'without a supervisor leaves nothing behind either (%s)',
    async (flags) => {
      const { dir, runtime } = place();
      const args = ['run', 'work.mjs', '--each', 'work.mjs', '--no-supervise', ...flags.split(' ')];
      expect(await runtime(args)).toMatchObject({ exitCode: 64, stdout: '' });
      expect(existsSync(join(dir, '.runtime'))).toBe(false);
    },
  );

  test.each([
    ['export default 1;\nnonsense here;\n', "SyntaxError: Unexpected identifier 'here' (node --check"],
    ["export default 1;\n\nthrow new Error('no database');\n", 'broken.mjs:3'],
    ["import 'no-such-package';\n", 'no-such-package'],
    ['export const no = 1;\n', 'It exports no function at all.'],
  ])('for a module that does not load says where (%j)', async (text, words) => {
    const { dir, write, runtime } = place();
    write('broken.mjs', text);
    const { exitCode, stderr } = await runtime(['run', 'broken.mjs', '--lines'], { input: 'x' });
    expect(stderr).toMatch(/^runtime: .*broken\.mjs/);
    expect(stderr).toContain(words);
    expect(exitCode).toBe(64);
    expect(existsSync(join(dir, '.runtime'))).toBe(false);
  });

  test('for lines of a task file names every one, and takes none of the others', async () => {
    const { dir, write, runtime } = place();
    write(
      'tasks.ndjson',
      '{"input":1}\n{"input":2,}\n{"inptu":3}\n{"input":4,"handler":"cuont"}\n{"input":5,"timeout":3}\n',
    );
    const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--tasks', 'tasks.ndjson', '--handler', 'count']);
    expect(stderr).toContain('runtime: tasks.ndjson: no task was taken:\n');
    expect(stderr).toContain('  line 2: column 12: "}" where a field name in double quotes should be\n');
    expect(stderr).toContain('  line 3: inptu is unknown; did you mean "input"?\n');
    expect(stderr).toContain('  line 4: handler "cuont" is none of ');
    expect(stderr).toContain('  line 5: timeout must be a string with a unit');
    expect(exitCode).toBe(64);
    expect(existsSync(join(dir, '.runtime'))).toBe(false);
    expect(existsSync(join(dir, 'counted'))).toBe(false);
  });

  test('for results that would overwrite the tasks leaves the tasks as they are', async () => {
    const { dir, write, runtime } = place();
    write('tasks.ndjson', '{"input":1}\n');
    const { exitCode, stderr } = await runtime([
      'run',
      'work.mjs',
      '--tasks',
      'tasks.ndjson',
      '--results',
      './tasks.ndjson',
    ]);
    expect(stderr).toContain('--results: "./tasks.ndjson" holds the tasks, and would be overwritten');
    expect(exitCode).toBe(64);
    expect(readFileSync(join(dir, 'tasks.ndjson'), 'utf8')).toBe('{"input":1}\n');
  });

  test('for a state folder that others may write to ends with 1, and says how to close it', async () => {
    const { dir, runtime } = place();
    mkdirSync(join(dir, 'open'));
    chmodSync(join(dir, 'open'), 0o777);
    const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--lines', '--dir', 'open'], { input: 'x' });
    expect(stderr).toContain('others may write to it (mode 777)');
    expect(stderr).toContain(`chmod go-w ${join(dir, 'open')}`);
    expect(exitCode).toBe(1);
  });

  test('leaves the folders of others alone', async () => {
    const { dir, runtime } = place();
    mkdirSync(join(dir, 'state/runs'), { recursive: true, mode: 0o700 });
    await runtime(['run', 'work.mjs', '--lines', '--dir', 'state/a/b', '--retries', 'x']);
    await runtime(['run', 'work.mjs', '--lines', '--dir', 'state', '--retries', 'x']);
    expect(existsSync(join(dir, 'state/a'))).toBe(false);
    expect(existsSync(join(dir, 'state/runs'))).toBe(true);
    expect(existsSync(join(dir, 'state/locks'))).toBe(false);
  });
});

describe('a tasks id that is taken', () => {
  test('within one file is told with its line', async () => {
    const { write, runtime } = place();
    write('tasks.ndjson', '{"id":"a","input":1}\n{"id":"a","input":1}\n{"id":"a","input":2}\n');
    const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--tasks', 'tasks.ndjson']);
    expect(stderr).toContain(
      'runtime: these task ids are taken:\n  line 3: the id "a" is taken by a task with another',
    );
    expect(exitCode).toBe(64);
  });
});

describe('the other commands', () => {
  test.each([
    [['stauts'], '(Did you mean status?)\nHow it is used: runtime --help\n'],
    [['results'], "runtime: missing required argument 'run-id'\nHow it is used: runtime results --help\n"],
    [
      ['status', '--jsn'],
      "runtime: unknown option '--jsn'\n(Did you mean --json?)\nHow it is used: runtime status --help\n",
    ],
    [['lock', 'relase', 'x'], '(Did you mean release?)\nHow it is used: runtime lock --help\n'],
    [['results', 'x', '--state', 'bad'], 'runtime: nothing was printed:\n  --state: must be one of done, failed'],
    [['status', '../x'], 'runtime: invalid run id:\n  "../x": must be'],
  ])('%j ends with 64 and a way on', async (args, words) => {
    const { stdout, stderr, exitCode } = await place().runtime(args);
    expect(stderr).toContain(words);
    expect(stdout).toBe('');
    expect(exitCode).toBe(64);
  });

  test('without a command show help, on standard error; asked for, on standard output', async () => {
    const { runtime } = place();
    const bare = await runtime([]);
    expect(bare).toMatchObject({
      exitCode: 64,
      stdout: '',
      stderr: expect.stringContaining('Usage: runtime') as string,
    });
    for (const args of [['--help'], ['help', 'run'], ['lock', 'release', '-h']]) {
      const { exitCode, stdout, stderr } = await runtime(args);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Usage: runtime');
    }
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect((await runtime(['--version'])).stdout).toBe(`${version}\n`);
  });

  longTestAfter(3, [['status'], ['results'], ['drain'], ['pause'], ['resume'], ['lock show'], ['lock release']])(
    '%s of a run that does not exist names those that do',
    async (command) => {
      const args = command.split(' ');
      const { runtime } = place();
      expect((await runtime([...args, 'work'])).stderr).toContain('No run has left its state there');
      await runtime(['run', 'work.mjs', '--lines', '--quiet', '--no-supervise', '--threads', '1'], { input: 'x' });
      const { exitCode, stderr, stdout } = await runtime([...args, 'wrok']);
      expect(stderr).toMatch(/there is no run "wrok" in .*; did you mean "work"\?\nThere are: work\.\n$/);
      expect([exitCode, stdout]).toEqual([1, '']);
    },
  );

  test('look for the state where RUNTIME_DIR says, unless --dir does', async () => {
    const { dir, runtime } = place();
    const env = { RUNTIME_DIR: 'from-env' };
    await runtime(['run', 'work.mjs', '--lines', '--quiet', '--no-supervise', '--threads', '1'], { input: 'x', env });
    expect(existsSync(join(dir, 'from-env/runs/work'))).toBe(true);
    expect((await runtime(['status'], { env })).stdout).toBe('work  idle  1 done\n');
    expect((await runtime(['status', '--dir', 'from-env'])).stdout).toBe('work  idle  1 done\n');
    expect(await runtime(['status', '--dir', 'other'], { env })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await runtime(['status'])).toMatchObject({ stderr: `no runs in ${join(dir, '.runtime')}\n` });
  });
});

test.each([
  [['foo', '--help'], "runtime: unknown command 'foo'\n"],
  [['stauts', '-h'], `runtime: unknown command 'stauts'; did you mean "status"?\n`],
  [['lock', 'lsit', '--help'], `runtime: unknown command 'lsit'; did you mean "list"?\n`],
])('the help of a command that is not there is refused: %j', async (args, fault) => {
  const { exitCode, stdout, stderr } = await place().runtime(args);
  expect([exitCode, stdout]).toEqual([64, '']);
  expect(stderr).toContain(fault);
});
