/** A disk that is, or becomes, read-only is told in words, and keeps nobody waiting. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAIN, place, started } from '../../../support/command.js';
import { makeReadOnly } from '../../../support/read-only.js';

const STACK = /^ {4}at /m;

describe('a disk that becomes read-only', () => {
  test.for([[], ['--no-supervise']])(
    'in the middle of standard input ends the run, and says so: %j',
    async (flags, context) => {
      const { dir, start, until } = place();
      const command = start(['run', 'work.mjs', '--handler', 'gate', '--lines', '--threads', '1', ...flags]);
      command.stdin.write('1\n2\n');
      await until('work', (status) => started(status) === 1);
      const why = makeReadOnly(join(dir, '.runtime/runs/work'));
      if (why !== undefined) return context.skip(why);
      writeFileSync(join(dir, 'open'), '');
      command.stdin.end();
      const { exitCode, stderr } = await command;
      expect(exitCode).toBe(1);
      expect(stderr).toContain('runtime: standard input could not be kept in ');
      expect(stderr).toContain('EROFS: read-only file system');
      expect(stderr).toMatch(/\nMend the cause and type the same command with the same input again: [^\n]*\n$/);
      expect(stderr).not.toMatch(STACK);
    },
  );

  test('leaves the outcome of a run that needs nothing more of it', async (context) => {
    const { dir, write, start, until } = place();
    write('tasks.ndjson', '{"input":1}\n');
    const command = start(['run', 'work.mjs', '--handler', 'gate', '--tasks', 'tasks.ndjson']);
    await until('work', (status) => started(status) === 1);
    const why = makeReadOnly(join(dir, '.runtime/runs/work'));
    if (why !== undefined) return context.skip(why);
    writeFileSync(join(dir, 'open'), '');
    const { exitCode, stderr } = await command;
    expect(stderr).toContain('1 done');
    expect(stderr).not.toMatch(STACK);
    expect(exitCode).toBe(0);
  });
});

describe('a disk that is read-only', () => {
  test('is told for what it is, where the state folder is to be', async (context) => {
    const { dir, runtime } = place();
    mkdirSync(join(dir, 'disk'));
    const why = makeReadOnly(join(dir, 'disk'));
    if (why !== undefined) return context.skip(why);
    const { exitCode, stderr } = await runtime(['run', 'work.mjs', '--lines', '--dir', 'disk/state']);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `runtime: cannot use the state folder ${join(dir, 'disk/state')}: its file system is read-only\n` +
        'Mend that, or choose another state folder: --dir <folder>.\n',
    );
  });

  test.for([[], ['--no-durable']])('is told by a run that was there before: %j', async (flags, context) => {
    const { dir, write, runtime } = place();
    write('tasks.ndjson', '{"input":1}\n');
    const args = ['run', 'work.mjs', '--handler', 'default', '--tasks', 'tasks.ndjson'];
    expect((await runtime(args)).exitCode).toBe(0);
    const why = makeReadOnly(join(dir, '.runtime/runs/work'));
    if (why !== undefined) return context.skip(why);
    const { exitCode, stderr } = await runtime([...args, ...flags]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^runtime: [^\n]*read-?only[^\n]*\n[^\n]*\n$/i);
  });
});

describe('standard input that is a folder', () => {
  const run = (cwd: string, stdin: string, flags: readonly string[]) =>
    spawnSync(process.execPath, [MAIN, 'run', 'work.mjs', '--handler', 'default', ...flags], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, RUNTIME_DIR: '' },
      stdio: [openSync(stdin, 'r'), 'pipe', 'pipe'],
    });

  test.for([['--lines'], ['--tasks', '-'], ['--tasks', '/dev/stdin'], ['--lines', '--no-supervise']])(
    'is refused in words: %j',
    (flags) => {
      const { dir } = place();
      const { status, stderr } = run(dir, dir, flags);
      expect(status).toBe(64);
      expect(stderr).toBe(
        'runtime: standard input is a folder: there are no tasks to read from it\n' +
          "For the files in a folder: --each '<folder>/**'\n",
      );
    },
  );

  test('is not mixed up with a file that is read by that name', () => {
    const { dir, write } = place();
    const { stderr } = run(dir, write('tasks.ndjson', '{"input":1}\n'), ['--tasks', '/dev/stdin']);
    expect(stderr).toContain('1 done');
  });
});
