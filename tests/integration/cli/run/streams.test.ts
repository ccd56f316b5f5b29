/** Data on standard output, words on standard error, and what happens to a run when nobody reads them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { lines, MAIN, parsed, place } from '../../../support/command.js';
import { longTestAfter } from '../../../support/long.js';
import { waitFor } from '../../../support/wait-for.js';

const shell = (dir: string, command: string) =>
  execa('bash', ['-c', command], {
    cwd: dir,
    reject: false,
    env: { RUNTIME: `${process.execPath} ${MAIN}`, RUNTIME_DIR: '' },
  });

describe('standard output', () => {
  test('is empty unless data is asked for', async () => {
    const { runtime } = place();
    const { stdout, stderr } = await runtime(['run', 'work.mjs', '--lines', '--handler', 'odd'], { input: lines(3) });
    expect(stdout).toBe('');
    expect(stderr).toContain('2 done, 1 failed');
  });

  test('has nothing of what handlers print; standard error has it in whole lines', async () => {
    const { write, runtime } = place();
    write('talk.mjs', TALK);
    const { stdout, stderr } = await runtime(['run', 'talk.mjs', '--lines', '--results', '-'], { input: 'a\nb\n' });
    expect(parsed(stdout)).toHaveLength(2);
    for (const id of ['a', 'b']) {
      expect(stderr).toMatch(new RegExp(`^begun ${id}, ended$`, 'm'));
      expect(stderr).toMatch(new RegExp(`^logged ${id}$`, 'm'));
      expect(stderr).toMatch(new RegExp(`^warned ${id}$`, 'm'));
    }
    expect(stderr).toMatch(/without an end( b)?\n/);
  });

  test('and nothing is lost of a handler that prints a lot', async () => {
    const { write, runtime } = place();
    write(
      'loud.mjs',
      'export default (id) => { for (let i = 0; i < 2000; i++) console.log(`${id} ${i} ${"x".repeat(80)}`); };',
    );
    const { stdout, stderr, exitCode } = await runtime(['run', 'loud.mjs', '--lines', '--json'], { input: lines(10) });
    expect(exitCode).toBe(0);
    expect(stderr.match(/^\d+ \d+ x{80}$/gm)).toHaveLength(20_000);
    expect(parsed(stdout)).toHaveLength(1);
  });

  longTestAfter(1, [[''], ['--no-supervise']])(
    'and nothing of it is lost for a reader who takes his time (%s)',
    async (flag) => {
      const { dir, write } = place();
      write(
        'loud.mjs',
        `import { writeFileSync } from 'node:fs';
         export default (line) => {
           console.log(('x'.repeat(99) + '\\n').repeat(10_000));
           writeFileSync('done-' + line, '');
         };`,
      );
      const run = `(seq 2 | $RUNTIME run loud.mjs --lines ${flag}) 2>&1`;
      // He begins to read when the tasks are done, and far more is printed than a pipe holds.
      // Where the test has failed, the folder goes, and he with it.
      const done = `while [ -e loud.mjs ] && ! { [ -e done-1 ] && [ -e done-2 ]; }; do sleep 0.02; done`;
      const { stdout } = await shell(dir, `${run} | (${done}; grep -c '^x')`);
      expect(stdout).toBe('20000');
    },
  );

  test('has one document with --json, with these fields and no others', async () => {
    const { runtime } = place();
    const { stdout } = await runtime(['run', 'work.mjs', '--lines', '--json', '--handler', 'odd', '--quiet'], {
      input: lines(2),
    });
    expect(JSON.parse(stdout)).toEqual({
      schema: 1,
      runId: 'work',
      counts: { queued: 0, delayed: 0, running: 0, done: 1, failed: 1, crashed: 0, 'timed-out': 0, cancelled: 0 },
      absent: 0,
      before: 0,
      elapsedMs: expect.any(Number) as number,
      perSecond: expect.any(Number) as number,
      taskMs: Object.fromEntries(['p50', 'p95', 'p99', 'max'].map((key) => [key, expect.any(Number) as number])),
      busy: expect.any(Number) as number,
      threads: expect.any(Number) as number,
      crashes: 0,
      restarts: 0,
      failures: [
        {
          id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
          state: 'failed',
          input: '2',
          error: { name: 'RangeError', message: 'even: 2' },
        },
      ],
    });
  });

  test('has results that JSON cannot hold as they would be inspected', async () => {
    const { write, runtime } = place();
    write('weird.mjs', WEIRD);
    const { stdout, exitCode } = await runtime(['run', 'weird.mjs', '--lines', '--results', '-'], { input: lines(7) });
    const results = Object.fromEntries(parsed(stdout).map(({ input, ...rest }) => [input, rest]));
    expect(results['1']).toMatchObject({ state: 'done', result: { $inspect: "Map(1) { 'a' => 1 }" } });
    expect(results['2']).toMatchObject({ state: 'done', result: { $inspect: '12n' } });
    expect(results['3']).toMatchObject({
      state: 'done',
      result: { $inspect: expect.stringContaining('61 62') as string },
    });
    expect(results['4']).toMatchObject({ state: 'done', result: { $inspect: 'NaN' } });
    expect(results['5']).not.toHaveProperty('result');
    expect(results['6']).toMatchObject({ state: 'failed', error: { code: 'ERR_VALUE_NOT_CLONEABLE' } });
    expect(results['7']).toMatchObject({ state: 'done', result: null });
    expect(exitCode).toBe(3);
  });

  test('has the results of this command; a file has those of the whole run', async () => {
    const { dir, runtime } = place();
    const again = (count: number, target: string) =>
      runtime(['run', 'work.mjs', '--lines', '--results', target], { input: lines(count) });
    await again(2, 'all.ndjson');
    expect(parsed((await again(3, '-')).stdout).map(({ result }) => result)).toEqual(['3']);
    await again(3, 'all.ndjson');
    const all = readFileSync(join(dir, 'all.ndjson'), 'utf8');
    expect(parsed(all)).toHaveLength(3);
    expect((await runtime(['results', 'work'])).stdout).toBe(all);
    expect((await runtime(['results', 'work', '--state', 'failed'])).stdout).toBe('');
  });
});

const TALK = `
export default async (id, { log }) => {
  process.stdout.write('begun ' + id);
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.stdout.write(', ended\\n');
  console.log('logged', id);
  console.error('warned', id);
  if (id === 'b') process.stdout.write('without an end');
};
`;

const WEIRD = `
const results = [new Map([['a', 1]]), 12n, Buffer.from('ab'), NaN, undefined, () => {}, null];
export default (line) => results[Number(line) - 1];
`;

describe('what comes from tasks', () => {
  test('cannot steer the terminal: ids, messages and results are written without control characters', async () => {
    const { write, runtime } = place();
    const id = 'a\u001b]0;title\u0007\u009b31m\nb';
    write(
      'evil.mjs',
      `export default (input) => { if (input) return input; throw new Error(${JSON.stringify(id)}); };`,
    );
    write('tasks.ndjson', `${JSON.stringify({ id, input: null })}\n${JSON.stringify({ id: 'ok', input: id })}\n`);
    const { stdout, stderr } = await runtime(['run', 'evil.mjs', '--tasks', 'tasks.ndjson', '--results', '-']);
    expect(stderr).toContain('  failed a\\u001b]0;title\\u0007\\u009b31m: a\\u001b]0;title\\u0007\\u009b31m\n');
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(
      parsed(stdout)
        .map(({ id: name }) => name)
        .sort(),
    ).toEqual([id, 'ok'].sort());
    expect(parsed(stdout).find(({ id: name }) => name === 'ok')).toMatchObject({ result: id });
  });
});

describe('words', () => {
  test('have no colours in a pipe, and there are none at all with --quiet', async () => {
    const { runtime } = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'odd'];
    expect((await runtime(args, { input: lines(4) })).stderr).not.toContain('\u001b');
    expect(await runtime([...args, '--quiet', '--fresh'], { input: lines(4) })).toMatchObject({
      stderr: '',
      exitCode: 3,
    });
  });

  test('count one as one, and millions in threes', async () => {
    const { runtime } = place();
    await runtime(['run', 'work.mjs', '--lines', '--handler', 'odd', '--quiet'], { input: '2' });
    const { stderr } = await runtime(['run', 'work.mjs', '--lines', '--handler', 'odd'], { input: '2' });
    expect(stderr).toContain('run work continues: 1 task had ended before\n');
    expect(stderr).toContain('tries 1 again\n');
  });

  test('name the state folder in what there is to type next', async () => {
    const { runtime } = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'odd', '--dir', 'my state'];
    const { stderr } = await runtime(args, { input: lines(20) });
    expect(stderr).toContain("runtime results work --state not-done --dir 'my state'\n");
  });
});

describe('a reader that goes', () => {
  longTestAfter(1, [[''], ['--no-supervise']])(
    'of the results stops the run as SIGPIPE would; it goes on later (%s)',
    async (flag) => {
      const { dir, status, runtime } = place();
      const run = `seq 20000 | $RUNTIME run work.mjs --lines --results - ${flag}; echo "exit $?" >&2`;
      const { stdout, stderr } = await shell(dir, `(${run}) | head -1`);
      expect(parsed(stdout)).toHaveLength(1);
      expect(stderr).toMatch(/exit 141\n?$/);
      const { counts } = await status('work');
      expect(counts).toMatchObject({ running: 0 });
      expect(counts['done']).toBeLessThan(20_000);
      const { exitCode } = await runtime(['run', 'work.mjs', '--lines', '--quiet'], { input: lines(20_000) });
      expect(exitCode).toBe(0);
    },
  );

  longTestAfter(1, [[''], ['--no-supervise']])('of the words does not: the run comes to its end (%s)', async (flag) => {
    const { dir, status } = place();
    const { stdout } = await shell(dir, `(seq 50 | $RUNTIME run work.mjs --lines ${flag}; echo $? > exit) 2>&1 | true`);
    expect(stdout).toBe('');
    await waitFor('the exit code', () => {
      try {
        return readFileSync(join(dir, 'exit'), 'utf8');
      } catch {
        return false;
      }
    });
    expect(readFileSync(join(dir, 'exit'), 'utf8')).toBe('0\n');
    expect(await status('work')).toMatchObject({ state: 'idle', counts: { done: 50, crashed: 0 } });
  });

  test('of the summary document, and of the other commands, ends them as SIGPIPE would', async () => {
    const { dir } = place();
    const { stderr } = await shell(
      dir,
      '(seq 3 | $RUNTIME run work.mjs --lines --json --quiet; echo "exit $?" >&2) | true',
    );
    expect(stderr).toBe('exit 141');
    await shell(dir, 'seq 2000 | $RUNTIME run work.mjs --lines --quiet');
    const results = await shell(dir, '($RUNTIME results work; echo "exit $?" >&2) | head -1');
    expect(results.stderr).toBe('exit 141');
    expect(parsed(results.stdout)).toHaveLength(1);
  });

  test('is no matter of a disk that is full: that is told, and what is recorded stays', async () => {
    const { runtime, status } = place();
    const args = ['run', 'work.mjs', '--lines', '--results'];
    const { exitCode, stderr } = await runtime([...args, '/dev/full'], { input: lines(3) });
    expect(stderr).toContain('runtime: --results: ENOSPC: no space left on device');
    expect(stderr).toContain('the same command goes on');
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(exitCode).toBe(1);
    expect((await status('work')).counts).toMatchObject({ done: 3 });
  });
});
