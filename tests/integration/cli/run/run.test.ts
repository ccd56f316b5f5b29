/** `runtime run`: where tasks come from, which handler runs them, and how a run goes on. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lines, parsed, place } from '../../../support/command.js';
import { longTest, longTestAfter } from '../../../support/long.js';

const summaryOf = (stdout: string) =>
  JSON.parse(stdout) as { counts: Record<string, number>; before: number; failures: unknown[]; taskMs: unknown };
/** Where it does not matter who runs the tasks. */
const ALONE = ['--no-supervise', '--threads', '1'];
const results = (stdout: string) => parsed(stdout).map(({ result }) => result);

describe('tasks', () => {
  test('come from the files that a glob matches, whatever their names are', async () => {
    const { dir, runtime } = place();
    mkdirSync(join(dir, 'in'));
    const names = ['#1', "a 'b'", 'line\nfeed', 'ü 日本', '"quoted"'];
    for (const name of names) writeFileSync(join(dir, 'in', name), '');
    writeFileSync(join(dir, '#top'), '');
    const { exitCode, stdout } = await runtime(['run', 'work.mjs', '--each', '{#top,in/*}', '--results', '-']);
    expect(exitCode).toBe(0);
    expect(results(stdout).sort()).toEqual(['#top', ...names.map((name) => `in/${name}`)].sort());
    expect(parsed(stdout).find(({ result }) => result === '#top')).toMatchObject({ id: './#top' });
  });

  test.each([
    ['no lines at all', '', []],
    ['one line without an end', 'only', ['only']],
    ['empty lines', 'a\n\n\nb\r\n', ['', '', 'a', 'b']],
  ])('come from the lines of standard input: %s', async (_, input, expected) => {
    const { dir, runtime } = place();
    const { exitCode, stdout } = await runtime(['run', 'work.mjs', '--lines', '--results', '-'], { input });
    expect(exitCode).toBe(0);
    expect(results(stdout).sort()).toEqual(expected);
    expect(existsSync(join(dir, '.runtime'))).toBe(input !== '');
  });

  test('come from 20,000 lines, each run once', async () => {
    const { runtime } = place();
    const { exitCode, stdout } = await runtime(['run', 'work.mjs', '--lines', '--results', '-', '--quiet'], {
      input: lines(20_000),
    });
    expect(exitCode).toBe(0);
    expect(new Set(results(stdout)).size).toBe(20_000);
    expect(parsed(stdout)).toHaveLength(20_000);
  });

  test('come from a task file, or the same from standard input', async () => {
    const { write, runtime } = place();
    const tasks =
      '{"id":"one","input":{"a":1}}\n\n{"input":[2],"handler":"default","priority":9,"timeout":"1m","retries":2}\n';
    write('tasks.ndjson', tasks);
    const fromFile = await runtime([
      'run',
      'work.mjs',
      '--tasks',
      'tasks.ndjson',
      '--results',
      '-',
      '--run-id',
      'file',
    ]);
    const fromInput = await runtime(['run', 'work.mjs', '--tasks', '-', '--results', '-', '--run-id', 'input'], {
      input: tasks,
    });
    for (const { exitCode, stdout } of [fromFile, fromInput]) {
      expect(exitCode).toBe(0);
      expect(results(stdout)).toEqual(expect.arrayContaining([{ a: 1 }, [2]]));
      expect(parsed(stdout).map(({ id }) => id)).toEqual(
        expect.arrayContaining(['one', expect.stringMatching(/^[0-9a-f]{16}$/)]),
      );
    }
  });

  longTest('of a file with 200,000 lines fit into a heap that the file does not fit into', async () => {
    const { write, runtime } = place();
    const line = (_: unknown, index: number) => `{"input":"${String(index).padEnd(400, 'x')}"}\n`;
    write('tasks.ndjson', Array.from({ length: 200_000 }, line).join(''));
    const { exitCode, stdout } = await runtime(['run', 'work.mjs', '--tasks', 'tasks.ndjson', '--quiet', '--json'], {
      env: { NODE_OPTIONS: '--max-old-space-size=64' },
    });
    expect(exitCode).toBe(0);
    expect(summaryOf(stdout)).toMatchObject({ counts: { done: 200_000 }, crashes: 0, restarts: 0 });
  });
});

describe('the handler', () => {
  test.each([
    ['the default export', 'm.mjs', 'export default () => "it"; export const other = () => "other";', []],
    ['the only one', 'm.mjs', 'export const it = () => "it"; export const no = 3;', []],
    [
      'the one that is named',
      'm.mjs',
      'export default () => "other"; export const it = () => "it";',
      ['--handler', 'it'],
    ],
    ['one of a CommonJS module', 'm.cjs', 'exports.it = () => "it";', []],
    ['the function that a CommonJS module is', 'm.cjs', 'module.exports = () => "it";', []],
  ])('is %s', async (_, name, text, flags) => {
    const { write, runtime } = place();
    write(name, text);
    const { exitCode, stdout } = await runtime(['run', name, '--lines', '--results', '-', ...ALONE, ...flags], {
      input: 'x',
    });
    expect(results(stdout)).toEqual(['it']);
    expect(exitCode).toBe(0);
  });

  longTestAfter(1, ['m.ts', 'm.mts', 'm.cts'])('may be TypeScript: %s', async (name) => {
    const { dir, write, runtime } = place();
    const exported = name === 'm.cts' ? 'export = it;' : 'export default it;';
    write(name, `const it = (input: string): string => "it" + (input as never as "").length;\n${exported}`);
    mkdirSync(join(dir, 'node_modules'));
    symlinkSync(join(process.cwd(), 'node_modules/tsx'), join(dir, 'node_modules/tsx'));
    const { exitCode, stdout, stderr } = await runtime(['run', name, '--lines', '--results', '-', ...ALONE], {
      input: 'x',
    });
    expect(results(stdout), stderr).toEqual(['it1']);
    expect(exitCode).toBe(0);
  });

  test('in TypeScript without anything that runs it is refused, with what to install', async (context) => {
    context.skip(Boolean((process.features as { typescript?: unknown }).typescript), 'this Node runs TypeScript');
    const { write, runtime } = place();
    write('m.ts', 'export default (input: string) => input;');
    const { exitCode, stderr } = await runtime(['run', 'm.ts', '--lines'], { input: 'x' });
    expect(stderr).toContain('npm install --save-dev tsx');
    expect(exitCode).toBe(64);
  });
});

describe('the same command', () => {
  test('goes on where it stopped: what has an outcome is not run again', async () => {
    const { dir, runtime } = place();
    const again = (count: number) =>
      runtime(['run', 'work.mjs', '--lines', '--handler', 'count', '--json', ...ALONE], { input: lines(count) });
    expect(summaryOf((await again(3)).stdout)).toMatchObject({ before: 0, counts: { done: 3 } });
    const second = await again(5);
    expect(summaryOf(second.stdout)).toMatchObject({ before: 3, counts: { done: 5 } });
    expect(second.stderr).toContain('run work continues: 3 tasks had ended before\n');
    const third = await again(5);
    expect(summaryOf(third.stdout)).toMatchObject({ before: 5, counts: { done: 5 }, taskMs: null });
    expect(third.stderr).toContain('before     all 5 had ended before this start\n');
    expect(third.stderr).toContain('nothing was left to do: the same command with --fresh starts over\n');
    expect(third.exitCode).toBe(0);
    expect(readFileSync(join(dir, 'counted'), 'utf8').trim().split('\n').sort()).toEqual(['1', '2', '3', '4', '5']);
  });

  test('has the name of the module as its run id, unless it is given one', async () => {
    const { dir, runtime } = place();
    await runtime(['run', './work.mjs', '--lines', ...ALONE], { input: '1' });
    await runtime(['run', './work.mjs', '--lines', '--run-id', 'nightly-2', ...ALONE], { input: '1' });
    expect(readdirSync(join(dir, '.runtime/runs')).sort()).toEqual(['nightly-2', 'work']);
  });

  test('starts over with --fresh', async () => {
    const { dir, runtime } = place();
    const again = (...flags: string[]) =>
      runtime(['run', 'work.mjs', '--lines', '--handler', 'count', '--json', ...ALONE, ...flags], { input: lines(2) });
    await again();
    expect(summaryOf((await again('--fresh')).stdout)).toMatchObject({ before: 0, counts: { done: 2 } });
    expect(readFileSync(join(dir, 'counted'), 'utf8').split('\n').filter(Boolean)).toHaveLength(4);
  });

  test('tries what failed again with --retry-failed, and only that', async () => {
    const { write, runtime } = place();
    const tasks = '{"input":1,"handler":"flaky"}\n{"input":2,"handler":"flaky"}\n{"input":3,"handler":"count"}\n';
    write('tasks.ndjson', tasks);
    const again = (...flags: string[]) =>
      runtime(['run', 'work.mjs', '--tasks', 'tasks.ndjson', '--json', ...ALONE, ...flags]);
    const first = await again();
    expect(first.exitCode).toBe(3);
    expect(first.stderr).toContain('next       the same command with --retry-failed tries 2 again\n');
    expect((await again()).exitCode).toBe(3);
    write('mended', '');
    const retried = await again('--retry-failed');
    expect(retried.stderr).toContain('2 tasks that did not end done: to be tried again\n');
    expect(summaryOf(retried.stdout)).toMatchObject({ before: 1, counts: { done: 3, failed: 0 }, failures: [] });
    expect(retried.exitCode).toBe(0);
    const nothing = await again('--retry-failed');
    expect(nothing.exitCode).toBe(0);
    expect(nothing.stderr).not.toContain('to be tried again');
  });

  test('with another handler for the same inputs is refused, with a way out', async () => {
    const { runtime } = place();
    await runtime(['run', 'work.mjs', '--lines', ...ALONE], { input: '1\n' });
    const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--lines', '--handler', 'odd'], { input: '1\n' });
    expect(exitCode).toBe(64);
    expect(stderr).toContain('runtime: run work is of another handler: it is of default, not of odd\n');
    expect(stderr).toContain('--run-id work-odd');
    const other = await runtime(['run', 'work.mjs', '--lines', '--handler', 'odd', '--run-id', 'work-odd'], {
      input: '1\n',
    });
    expect(other.exitCode).toBe(0);
  });
});

describe.each([
  ['with a supervisor', []],
  ['with --no-supervise', ['--no-supervise']],
])('%s', (_, flags) => {
  test.each([[[]], [['--no-durable']]])('%j, a run comes to its end, and its failures are told', async (more) => {
    const { dir, runtime } = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'odd', '--json', ...flags, ...more];
    const { exitCode, stdout, stderr } = await runtime(args, { input: lines(10) });
    expect(exitCode).toBe(3);
    expect(summaryOf(stdout)).toMatchObject({ schema: 1, counts: { done: 5, failed: 5 }, restarts: 0, crashes: 0 });
    expect(stderr).toMatch(/^tasks {6}5 done, 5 failed$/m);
    expect(stderr).toMatch(/^ {2}failed [0-9a-f]{16} \(2\): even: 2$/m);
    // What was in memory is gone, and leaves nothing behind.
    expect(existsSync(join(dir, '.runtime'))).toBe(more.length === 0);
    expect(existsSync(join(dir, '.runtime/locks'))).toBe(false);
  });
});
