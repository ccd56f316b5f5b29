/** Two starts of one run whose inputs differ: what is new, what is gone, what has changed. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { executorOf, parsed, place, started, type Place } from '../../../../support/command.js';
import { longTestAfter } from '../../../../support/long.js';

/** Where it does not matter who runs the tasks. */
const ALONE = ['--no-supervise', '--threads', '1'];

const input = (...words: string[]) => words.map((word) => `${word}\n`).join('');

/** What the handler "count" was called with, sorted. */
function counted(here: Place): string[] {
  return readFileSync(join(here.dir, 'counted'), 'utf8').trim().split('\n').sort();
}

describe('lines', () => {
  longTestAfter<[string, string[], string, number]>(2, [
    ['same', ['c', 'a', 'b'], 'its input is the same: 3 tasks', 0],
    ['changed', ['a', 'x', 'b'], 'its input has changed: 1 new task, and 1 of its 3 tasks is not in it', 1],
    ['grown', ['new', 'a', 'b', 'c', 'a'], 'its input has grown: 2 new tasks, and the 3 it had', 2],
    ['shrunk', ['b'], 'its input has shrunk: 2 of its 3 tasks are not in it', 0],
  ])('that are %s, in whatever order, are known again and told so', async (_, words, told, fresh) => {
    const here = place();
    const run = (...given: string[]) =>
      here.runtime(['run', 'work.mjs', '--lines', '--handler', 'count', ...ALONE], { input: input(...given) });
    const first = await run('a', 'b', 'c');
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stderr).not.toContain('its input');
    const second = await run(...words);
    expect(second.exitCode).toBe(0);
    expect(second.stderr).toContain(told);
    expect(counted(here)).toHaveLength(3 + fresh);
  });
});

/** A run that was stopped while the first of its files was worked on, and no other had begun. */
async function stopped(...more: string[]) {
  const here = place();
  mkdirSync(join(here.dir, 'in'));
  for (const name of ['1', '2', '3', '4', '5', '6', '7']) writeFileSync(join(here.dir, 'in', name), '');
  const args = ['run', 'work.mjs', '--each', 'in/*', '--handler', 'gate', '--threads', '1', ...more];
  const command = here.start(args);
  await here.until('work', (status) => started(status) === 1 && status.counts['queued'] === 6);
  command.kill('SIGINT');
  await here.until('work', ({ state }) => state === 'draining');
  here.write('open', '');
  expect((await command).exitCode).toBe(130);
  return { ...here, args };
}

describe('what an earlier start left queued', () => {
  test('runs once the input names it; the rest stays, is counted and named, and the exit code is 3', async () => {
    const here = await stopped();
    for (const name of ['3', '4', '5']) rmSync(join(here.dir, 'in', name));
    const { exitCode, stderr } = await here.runtime([...here.args, '--results', 'out.ndjson']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('its input has shrunk: 3 of its 7 tasks are not in it');
    expect(stderr).toContain('3 tasks of an earlier start are not in this input: in/3, in/4, in/5\n  they stay queued');
    expect(stderr).toMatch(/tasks +4 done, 3 queued\n/);
    expect(stderr).toContain('the same command with --keep-queued runs the 3 that are not in its input');
    const { stdout } = await here.runtime(['results', 'work']);
    expect(
      parsed(stdout)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['in/1', 'in/2', 'in/6', 'in/7']);

    const again = await here.runtime([...here.args, '--keep-queued']);
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toContain('they run all the same (--keep-queued)');
    expect(again.stderr).toMatch(/tasks +7 done\n/);
  });

  test('is known by --json as well', async () => {
    const here = await stopped();
    rmSync(join(here.dir, 'in', '7'));
    const { exitCode, stdout } = await here.runtime([...here.args, '--json']);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ absent: 1, counts: { done: 6, queued: 1 } });
  });

  test('by a kill, is not run either where the input does not name it', async () => {
    const here = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'gate', '--threads', '1', '--no-supervise'];
    const command = here.start(args, { input: input('a', 'b', 'c') });
    await here.until('work', (status) => started(status) === 1 && status.counts['queued'] === 2);
    command.kill('SIGKILL');
    await command;
    here.write('open', '');
    const { exitCode, stderr } = await here.runtime(args, { input: input('c') });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('2 tasks of an earlier start are not in this input');
    expect(stderr).toMatch(/tasks +1 done, 2 queued\n/);
  });

  test('waits for its turn with what failed, too', async () => {
    const here = place();
    const run = (words: string[], ...more: string[]) =>
      here.runtime(['run', 'work.mjs', '--lines', '--handler', 'flaky', ...ALONE, ...more], { input: input(...words) });
    expect(await run(['a', 'b', 'c'])).toMatchObject({ exitCode: 3 });
    here.write('mended', '');
    const { exitCode, stderr } = await run(['a', 'c'], '--retry-failed');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('1 task of an earlier start is not in this input');
    expect(stderr).toMatch(/tasks +2 done, 1 queued\n/);
    expect(await run(['a', 'b', 'c'])).toMatchObject({ exitCode: 0 });
  });

  test('does not change what a restart of the executor within one command runs', async () => {
    const here = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'gate', '--threads', '1', '--results', '-'];
    const command = here.start(args, { input: input('a', 'b', 'c') });
    await here.until('work', (status) => started(status) === 1 && status.counts['queued'] === 2);
    process.kill(executorOf(command.pid!), 'SIGKILL');
    here.write('open', '');
    const { exitCode, stdout, stderr } = await command;
    expect(exitCode).toBe(0);
    expect(
      parsed(stdout)
        .map(({ result }) => result)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(stderr).toContain('starting another');
    expect(stderr).not.toContain('its input');
  });
});

describe('options of a line', () => {
  const tasks = (...fields: object[]) => fields.map((each) => `${JSON.stringify(each)}\n`).join('');
  /** Ends when there is a file "go", however late its signal is heard. */
  const HANDLER = `
    import { existsSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    export default async ({ n }, { signal }) => {
      while (!existsSync('go')) await sleep(5, undefined, { signal });
      return n;
    };
  `;

  test('are taken over when a task is tried again, and a flag does not lose to what was stored', async () => {
    const here = place();
    here.write('job.mjs', HANDLER);
    const run = (...more: string[]) => here.runtime(['run', 'job.mjs', '--tasks', 't.ndjson', ...ALONE, ...more]);
    here.write('t.ndjson', tasks({ input: { n: 1 }, timeout: '1ms' }, { input: { n: 2 }, timeout: '1ms' }));
    expect((await run()).stderr).toMatch(/tasks +2 timed-out\n/);
    expect((await run('--retry-failed')).stderr).toMatch(/tasks +2 timed-out\n/);
    // The one line has a longer time, the other none of its own any more.
    here.write('go', '');
    here.write('t.ndjson', tasks({ input: { n: 1 }, timeout: '1m' }, { input: { n: 2 } }));
    const { exitCode, stderr } = await run('--retry-failed', '--timeout', '1m');
    expect(stderr).toMatch(/tasks +2 done\n/);
    expect(exitCode).toBe(0);
  });
});
