/** Which files `--each` takes, and what it says of those that it does not. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eachFile, type EachSettings } from '../../../../../dist/cli/run/input/each.js';
import type { SourceTask } from '../../../../../dist/cli/run/input/source.js';
import { parsed, place } from '../../../../support/command.js';
import { longTestAfter } from '../../../../support/long.js';
import { tempDir } from '../../../../support/temp-dir.js';

function put(dir: string, ...paths: (string | Buffer)[]): string {
  for (const path of paths) {
    const whole = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(path as string)]);
    mkdirSync(whole.subarray(0, whole.lastIndexOf('/')), { recursive: true });
    writeFileSync(whole, '');
  }
  return dir;
}

const folder = (...paths: (string | Buffer)[]) => put(tempDir(), ...paths);

async function found(glob: string, cwd: string, settings: Partial<EachSettings> = {}) {
  const source = await eachFile(glob, 'h', { cwd, exclude: [], follow: false, own: [], ...settings });
  const tasks: SourceTask[] = [];
  for await (const task of source.tasks) tasks.push(task);
  const paths = tasks.map(({ input }) => JSON.parse(input as string) as string);
  return { ...source, tasks, paths };
}

const pathsOf = async (...args: Parameters<typeof found>) => (await found(...args)).paths;

describe('--each', () => {
  test('makes a task of every file, in the order of their paths, and of no folder', async () => {
    const dir = folder('b.txt', 'a/z.txt', 'a/b c.txt', 'a.txt/inner.md', '.hidden.txt');
    const { total, tasks } = await found('**/*.txt', dir);
    expect(total).toBe(3);
    expect(tasks.map(({ id }) => id)).toEqual(['a/b c.txt', 'a/z.txt', 'b.txt']);
    expect(tasks[0]).toEqual({
      id: 'a/b c.txt',
      handler: 'h',
      input: '"a/b c.txt"',
      priority: 0,
      timeoutMs: undefined,
      retries: undefined,
      line: undefined,
    });
  });

  test('gives absolute paths for an absolute glob', async () => {
    const dir = folder('a.txt', 'b/c.txt');
    expect(await pathsOf(join(dir, '**'), '/')).toEqual([join(dir, 'a.txt'), join(dir, 'b/c.txt')]);
    expect(await pathsOf(join(dir, 'a.txt'), '/')).toEqual([join(dir, 'a.txt')]);
  });

  test('gives the same path for a file however the glob comes to it', async () => {
    const dir = folder('a/x.txt', 'b/y.txt');
    for (const glob of ['a/*', './a/*', 'b/../a/*']) {
      expect(await pathsOf(glob, dir)).toEqual(['a/x.txt']);
    }
    expect(await pathsOf('../a/*', join(dir, 'a'))).toEqual(['x.txt']);
    expect(await pathsOf('../b/*', join(dir, 'a'))).toEqual(['../b/y.txt']);
  });

  test('keeps ids apart from those of the queue, which start with "#"', async () => {
    const { tasks } = await found('*', folder('#1'));
    expect(tasks[0]).toMatchObject({ id: './#1', input: '"#1"' });
  });

  test.each([
    ['.*', ['.env']],
    ['**/.*', ['.env', 'a/.x']],
    ['.git/**', ['.git/config']],
    ['{.git,a}/*', ['.git/config', 'a/b']],
    ['**', ['a/b', 'x']],
    ['a/**', ['a/b']],
  ])('finds hidden files where the glob names the dot: %s', async (glob, paths) => {
    expect(await pathsOf(glob, folder('.env', 'x', '.git/config', 'a/.x', 'a/b', 'a/.y/z'))).toEqual(paths);
  });

  test.each([
    ['src/{cli/in,lib}/*.ts', ['src/cli/in/a.ts', 'src/lib/b.ts']],
    ['src/@(lib|x)/*', ['src/lib/b.ts', 'src/lib/c[1].js']],
    ['src/!(lib)/**', ['src/cli/in/a.ts']],
    ['*/l?b/[bc]*.{js,ts}', ['src/lib/b.ts', 'src/lib/c[1].js']],
    ['src/lib/c\\[1\\].js', ['src/lib/c[1].js']],
    ['src/**/in/*', ['src/cli/in/a.ts']],
    ['**/lib/**/b.ts', ['src/lib/b.ts']],
    ['src/lib/b.ts', ['src/lib/b.ts']],
  ])('finds what lies below folders that are named by a glob: %s', async (glob, paths) => {
    expect(await pathsOf(glob, folder('src/cli/in/a.ts', 'src/lib/b.ts', 'src/lib/c[1].js', 'top.ts'))).toEqual(paths);
  });

  test.each(['\n', '\r', '\u2028', '\u2029', '\u0085', '\uFFFD', '"', '\\'])(
    'takes files and folders with %j in their names as all others',
    async (odd) => {
      const dir = folder(
        `Icon${odd}`,
        `a${odd}b.txt`,
        `fo${odd}lder/in.txt`,
        `fo${odd}lder/${odd}.txt`,
        'deep/x/y.txt',
      );
      const txt = [`a${odd}b.txt`, `fo${odd}lder/in.txt`, `fo${odd}lder/${odd}.txt`, 'deep/x/y.txt'].sort();
      expect(await pathsOf('**', dir)).toEqual([...txt, `Icon${odd}`].sort());
      expect(await pathsOf('**/*.txt', dir)).toEqual(txt);
      expect(await pathsOf('fo?lder/*', dir)).toEqual(txt.filter((path) => path.startsWith('fo')));
    },
  );
});

describe('what --each leaves out', () => {
  const LATIN1 = (text: string) => Buffer.from(text, 'latin1');

  test('is told by name: names that are no UTF-8 are no tasks, and hide no others', async () => {
    const dir = folder(
      'ok.txt',
      LATIN1('gr\xfcn.txt'),
      LATIN1('gr\xe4n.txt'),
      LATIN1('f\xff/in.txt'),
      LATIN1('\xff.md'),
    );
    const { paths, leftOut } = await found('**/*.txt', dir);
    expect(paths).toEqual(['ok.txt']);
    expect(leftOut).toEqual(
      ['f\\xff/', 'gr\\xe4n.txt', 'gr\\xfcn.txt'].map((path) => ({
        path,
        reason: 'its name is not UTF-8 (to rename such files: convmv)',
      })),
    );
    expect((await found('*.txt', dir, { exclude: ['gr*'] })).leftOut).toEqual([]);
  });

  test('is told where nothing else is left', async () => {
    await expect(found('*', folder(LATIN1('\xff'), LATIN1('\xfe')))).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      message:
        '--each: what "*" matches cannot be taken: not \\xfe: its name is not UTF-8 (to rename such files: convmv), nor 1 more',
    });
  });

  test('is told of folders whose path is too long for the system', async () => {
    const dir = folder('a.txt');
    onTestFinished(() => void execFileSync('rm', ['-rf', join(dir, 'x'.repeat(250))]));
    // No call of the system takes the whole path.
    const make =
      'const name = "x".repeat(250); for (let i = 0; i < 17; i++) { fs.mkdirSync(name); process.chdir(name); }';
    execFileSync(process.execPath, ['-e', make], { cwd: dir });
    const { paths, leftOut } = await found('**/*.txt', dir);
    expect(paths).toEqual(['a.txt']);
    expect(leftOut).toEqual([
      { path: expect.stringMatching(/^(x{250}\/){15,17}$/) as string, reason: 'its path is too long for the system' },
    ]);
  });

  test('is told of folders that this user may not read, unless nothing in them is meant', async (context) => {
    const dir = folder('a.txt', 'shut/b.txt');
    chmodSync(join(dir, 'shut'), 0o000);
    onTestFinished(() => chmodSync(join(dir, 'shut'), 0o700));
    // Root may read all: then another user looks.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chmodSync(dir, 0o755);
    const look = `
      const { eachFile } = await import(${JSON.stringify(new URL('../../../../../dist/cli/run/input/each.js', import.meta.url).href)});
      const settings = { cwd: process.cwd(), exclude: [], follow: false, own: [] };
      const of = async (glob) => eachFile(glob, 'h', settings).then(({ total, leftOut }) => ({ total, leftOut }), ({ message }) => message);
      console.log(JSON.stringify([await of('**/*.txt'), await of('*.txt'), await of('shut/*')]));`;
    let printed: string;
    try {
      const args = ['--input-type=module', '-e', look];
      printed = execFileSync(process.execPath, args, { cwd: dir, encoding: 'utf8', ...(isRoot && { uid: 65534 }) });
    } catch (error) {
      return context.skip(`another user cannot load what is tested: ${String(error)}`);
    }
    expect(JSON.parse(printed)).toEqual([
      { total: 1, leftOut: [{ path: 'shut/', reason: 'this user may not read it' }] },
      { total: 1, leftOut: [] },
      '--each: this user may not look into "shut"',
    ]);
  });

  test('makes the run end with 3, and stands in the summary and in --json', async () => {
    const { dir, runtime } = place();
    put(dir, 'd/ok.txt', LATIN1('d/\xff.txt'));
    const args = ['run', 'work.mjs', '--each', 'd/*', '--handler', 'default'];
    const { exitCode, stderr, stdout } = await runtime([...args, '--json']);
    expect(exitCode).toBe(3);
    const line = '  d/\\xff.txt: its name is not UTF-8 (to rename such files: convmv)\n';
    expect(stderr).toContain(`--each leaves out 1 of what it matches:\n${line}`);
    expect(stderr).toContain(`left out   1 of what --each matches\n${line}`);
    expect(JSON.parse(stdout)).toMatchObject({
      counts: { done: 1 },
      leftOut: { count: 1, first: [{ path: 'd/\\xff.txt' }] },
    });
    // It is still left out when nothing else is to be done.
    expect((await runtime(args)).exitCode).toBe(3);
  });
});

describe('links', () => {
  function linked(): string {
    const dir = folder('a/1.txt', 'a/2.txt', 'b/3.txt');
    symlinkSync('.', join(dir, 'a/loop'));
    symlinkSync('../a', join(dir, 'b/to-a'));
    symlinkSync('1.txt', join(dir, 'a/one.txt'));
    symlinkSync('nowhere.txt', join(dir, 'a/gone.txt'));
    symlinkSync('self.txt', join(dir, 'a/self.txt'));
    return dir;
  }

  test('to files are files, those to folders are not followed, and told', async () => {
    const { paths, linksNotFollowed, leftOut } = await found('**/*.txt', linked());
    expect(paths).toEqual(['a/1.txt', 'a/2.txt', 'a/one.txt', 'b/3.txt']);
    expect(linksNotFollowed).toBe(2);
    expect(leftOut).toEqual([]);
    expect((await found('*/*.txt', linked())).linksNotFollowed).toBe(0);
  });

  test('to folders are followed where that is asked for, but not in circles', async () => {
    const dir = linked();
    const { paths, linksNotFollowed } = await found('**/*.txt', dir, { follow: true });
    expect(paths).toEqual(
      ['a/1.txt', 'a/2.txt', 'a/one.txt', 'b/3.txt', 'b/to-a/1.txt', 'b/to-a/2.txt', 'b/to-a/one.txt'].sort(),
    );
    expect(linksNotFollowed).toBe(0);
  });

  test('are followed where the glob names them', async () => {
    expect(await pathsOf('b/to-a/*.txt', linked())).toEqual(['b/to-a/1.txt', 'b/to-a/2.txt', 'b/to-a/one.txt']);
  });

  test('that were not followed are told when the run starts', async () => {
    const { dir, runtime } = place();
    put(dir, 'a/1.txt');
    symlinkSync('.', join(dir, 'a/loop'));
    const run = (...flags: string[]) =>
      runtime(['run', 'work.mjs', '--each', 'a/**', '--handler', 'default', '--threads', '1', ...flags]);
    const { exitCode, stderr } = await run();
    expect(exitCode).toBe(0);
    expect(stderr).toContain('1 link to a folder was not followed (--follow)\n');
    expect((await run('--follow')).stderr).not.toContain('followed');
  });
});

describe('no input', () => {
  test('are the results and the state of the run itself', async () => {
    const { dir, runtime } = place();
    put(dir, 'a.txt');
    const args = [
      'run',
      'work.mjs',
      '--dir',
      '.',
      '--each',
      '**/*.{txt,ndjson,db,lock}',
      '--handler',
      'default',
      '--threads',
      '1',
    ];
    for (const before of [0, 1]) {
      const { stdout } = await runtime([...args, '--results', 'out.ndjson', '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ before, counts: { done: 1 } });
    }
    // Those of others are.
    put(dir, 'sub/runs/x.db');
    const { stdout } = await runtime([...args, '--results', 'out.ndjson', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ before: 1, counts: { done: 2 } });
  });

  test.each([
    [['*.js'], ['a/b.ts', 'a/gen/c.ts', 'b/gen/d.ts', 'd.ts']],
    [['a'], ['b/gen/d.ts', 'd.ts']],
    [['gen'], ['a/b.ts', 'a/x.js', 'd.ts']],
    [['a/gen'], ['a/b.ts', 'a/x.js', 'b/gen/d.ts', 'd.ts']],
    [['./a/**/'], ['b/gen/d.ts', 'd.ts']],
    [['**/*.ts'], ['a/x.js']],
    [
      ['*.js', 'b/**', 'd.*'],
      ['a/b.ts', 'a/gen/c.ts'],
    ],
    [[], ['a/b.ts', 'a/gen/c.ts', 'a/x.js', 'b/gen/d.ts', 'd.ts']],
  ])('is what --exclude matches, and what lies in it: %j', async (exclude, paths) => {
    const dir = folder('a/b.ts', 'a/x.js', 'a/gen/c.ts', 'b/gen/d.ts', 'd.ts');
    expect(await pathsOf('**', dir, { exclude })).toEqual(paths);
    const absolute = paths.map((path) => join(dir, path));
    expect(await pathsOf(join(dir, '**'), dir, { exclude })).toEqual(absolute);
    const here = exclude.map((glob) => (glob.includes('/') ? join(dir, glob) : glob));
    expect(await pathsOf('**', dir, { exclude: here })).toEqual(paths);
  });

  test('is excluded with the flag, as often as it is given', async () => {
    const { dir, runtime } = place();
    put(dir, 'd/a.txt', 'd/b.txt', 'd/c.txt');
    const args = [
      'run',
      'work.mjs',
      '--each',
      'd/*',
      '--exclude',
      'a.*',
      '--exclude',
      'd/b*',
      '--results',
      '-',
      '--threads',
      '1',
    ];
    const { stdout } = await runtime([...args, '--handler', 'default']);
    expect(parsed(stdout)).toMatchObject([{ result: 'd/c.txt' }]);
  });

  longTestAfter<[string[], string]>(2, [
    [['--lines', '--exclude', 'x'], '--exclude: is for --each alone'],
    [['--lines', '--follow'], '--follow: is for --each alone'],
    [['--each', '*', '--null'], '--null: is for --lines alone'],
    [['--each', '*', '--exclude', ''], '--exclude: must be a glob'],
  ])('%j is refused', async (args, told) => {
    const { exitCode, stderr } = await place().runtime(['run', 'work.mjs', ...args]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(`  ${told}\n`);
  });
});

describe('a glob that leads nowhere', () => {
  test('says where it looked, and to quote the glob', async () => {
    const dir = folder('a.txt');
    for (const glob of ['*.png', 'b/*', 'b/c.txt']) {
      await expect(found(glob, dir)).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTIONS',
        message: `--each: no file matches ${JSON.stringify(glob)} in ${dir}`,
        hint: expect.stringContaining('Quote the glob') as string,
      });
    }
  });

  test('of a folder says how to name the files in it', async () => {
    for (const glob of ['src/', 'src', './src']) {
      await expect(found(glob, folder('src/a.txt'))).rejects.toMatchObject({
        hint: `${glob} is a folder; for the files in it: --each 'src/**'`,
      });
    }
  });

  test('that begins with "!" says what there is instead', async () => {
    await expect(found('!*.txt', folder('a.txt'))).rejects.toMatchObject({
      hint: expect.stringContaining("--exclude '") as string,
    });
  });

  test.each([
    ['a.txt/*', '"a.txt/*" leads through "a.txt", which is not a folder'],
    ['d/b.txt/c/*.md', '"d/b.txt/c/*.md" leads through "d/b.txt", which is not a folder'],
    ['a.txt/b', '"a.txt/b" leads through "a.txt", which is not a folder'],
    ['self/*', '"self/*" leads through "self", a link that leads to itself'],
    ['d/self', '"d/self" leads through "d/self", a link that leads to itself'],
    [`d/${'x'.repeat(300)}/*`, expect.stringMatching(/^"d\/xxx.* is longer than the name of a file can be$/)],
  ])('is told in a sentence: %.20s', async (glob, told) => {
    const dir = folder('a.txt', 'd/b.txt');
    symlinkSync('self', join(dir, 'self'));
    symlinkSync('self', join(dir, 'd/self'));
    const error = (await found(glob, dir).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTIONS' });
    expect(error.message.replace('--each: ', '')).toEqual(told);
  });

  test('ends the command with 64', async () => {
    const { dir, runtime } = place();
    put(dir, 'a.txt');
    const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--each', 'a.txt/*', '--handler', 'default']);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(/^runtime: --each: "a.txt\/\*" leads through "a.txt", which is not a folder\n[^\n]*\n$/);
  });
});

describe('--null', () => {
  test('takes each name that find -print0 writes as it is', async () => {
    const { dir, runtime } = place();
    const names = ['a\nb.txt', 'c\r', ' \uFEFFd', '\t'].sort();
    put(dir, ...names.map((name) => `d/${name}`));
    const input = execFileSync('find', ['.', '-type', 'f', '-print0'], { cwd: join(dir, 'd') });
    const args = ['run', 'work.mjs', '--lines', '--null', '--results', '-', '--handler', 'default', '--threads', '1'];
    const { stdout, exitCode } = await runtime(args, { input });
    expect(exitCode).toBe(0);
    expect((parsed(stdout) as { result: string }[]).map(({ result }) => result).sort()).toEqual(
      names.map((name) => `./${name}`),
    );
    expect((await runtime(args, { input: '\uFEFFx\r\n\0' })).stdout).toContain('"result":"\uFEFFx\\r\\n"');
  });
});
