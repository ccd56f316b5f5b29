/** What a command would run, and why: told without running anything, and true of the command that follows. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lines, place, started } from '../../../../support/command.js';
import { waitFor } from '../../../../support/wait-for.js';

interface Previewed {
  tasks: { id: string; input: unknown; runs: boolean; why: string; because?: string }[];
  counts: Record<string, number>;
  holder: string | null;
  notInInput: number;
}

const ALONE = ['--no-supervise', '--threads', '1'];
/** Of each input, why it would run, or not. */
const whys = ({ tasks }: Previewed) => Object.fromEntries(tasks.map(({ input, why }) => [String(input), why]));

describe('a preview', () => {
  test('of a run that is new leaves nothing behind', async () => {
    const { dir, runtime } = place();
    const { exitCode, stdout, stderr } = await runtime(['run', 'work.mjs', '--each', '*.mjs', '--preview']);
    expect(stdout).toBe('new        work.mjs\n');
    expect(stderr).toBe('would run  1 new\n');
    expect(exitCode).toBe(0);
    expect(existsSync(join(dir, '.runtime'))).toBe(false);
  });

  test('says of each task what the command then does', async () => {
    const { dir, runtime } = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'odd'];
    const preview = async (input: string, ...flags: string[]) => {
      const { stdout, stderr } = await runtime([...args, '--preview', '--json', ...flags], { input });
      return { ...(JSON.parse(stdout) as Previewed), stderr };
    };
    // With the second task, the first to fail, it ends: the rest stays queued.
    await runtime([...args, ...ALONE, '--halt', 'now,fail=1', '--delay', '20ms'], { input: lines(4) });
    const path = join(dir, '.runtime/runs/work/queue.db');
    const before = [readFileSync(path), statSync(path).mtimeMs];
    const first = await preview(lines(5));
    expect(whys(first)).toEqual({ 1: 'done', 2: 'ended', 3: 'continues', 4: 'continues', 5: 'new' });
    expect(first.tasks.filter(({ runs }) => runs).map(({ input }) => input)).toEqual(['3', '4', '5']);
    expect(first.stderr).toContain('would run  2 left by an earlier start, 1 new\n');
    expect(whys(await preview(lines(2), '--retry-failed'))).toEqual({ 1: 'done', 2: 'retry' });
    expect(await preview(lines(3))).toMatchObject({ notInInput: 1 });
    expect(whys(await preview(lines(2), '--fresh'))).toEqual({ 1: 'new', 2: 'new' });
    expect(whys(await preview(lines(2), '--no-durable'))).toEqual({ 1: 'new', 2: 'new' });
    expect([readFileSync(path), statSync(path).mtimeMs]).toEqual(before);
    const { stdout } = await runtime([...args, ...ALONE, '--json'], { input: lines(5) });
    expect(JSON.parse(stdout)).toMatchObject({ before: 2, counts: { done: 3, failed: 2 } });
  });

  test('of a run that is going on takes no lock from it, and says who holds it', async () => {
    const here = place();
    const args = ['run', 'work.mjs', '--lines', '--handler', 'gate', '--threads', '1'];
    const run = here.start(args, { input: lines(2) });
    await here.until('work', (status) => started(status) === 1);
    // What runs is in the file once it has run for a second.
    const { stderr, exitCode } = await waitFor('a preview that says what runs', async () => {
      const shown = await here.runtime([...args, '--preview'], { input: lines(2) });
      return /^runs +\S+ \(1\)\n/.test(shown.stdout) && shown;
    });
    expect(stderr).toMatch(/^held +run work is going on, by \S+: it would be refused without --wait$/m);
    expect(exitCode).toBe(0);
    here.write('open', '');
    expect((await run).exitCode).toBe(0);
  });

  test('calls nothing of the module, and keeps what it prints out of the data', async () => {
    const { runtime, write } = place();
    write(
      'loud.mjs',
      `console.log('loaded');
export const setup = () => { throw new Error('called'); };
export default () => { throw new Error('called'); };`,
    );
    const { exitCode, stdout, stderr } = await runtime(['run', 'loud.mjs', '--lines', '--preview'], { input: 'x\n' });
    expect(stdout).toMatch(/^new +\S+ \(x\)\n$/);
    expect(stderr).toBe('loaded\nwould run  1 new\n');
    expect(exitCode).toBe(0);
  });

  test('tells of an id that stands for two tasks, as the run would', async () => {
    const { runtime } = place();
    const input = '{"id":"a","input":1}\n{"id":"a","input":2}\n';
    const { stdout, exitCode } = await runtime(['run', 'work.mjs', '--tasks', '-', '--handler', 'odd', '--preview'], {
      input,
    });
    expect(stdout).toMatch(/^new {8}a\nconflict {3}a \(an earlier line/);
    expect(exitCode).toBe(64);
  });

  test('tells of an id that is twice in the input', async () => {
    const { runtime } = place();
    const input = '{"id":"a","input":1}\n{"id":"a","input":1}\n';
    const { stdout } = await runtime(['run', 'work.mjs', '--tasks', '-', '--handler', 'odd', '--preview'], { input });
    expect(stdout).toBe('new        a\nrepeated   a\n');
  });

  test.each([
    ['a task whose id is taken', '{"id":"a","input":2}\n', 'work.mjs', 'conflict   a (its id is taken'],
    ['a module that is another one', '{"id":"a","input":1}\n', 'other.mjs', ''],
    ['a module that does not load', '{"id":"a","input":1}\n', 'broken.mjs', ''],
    ['a line that is no task', 'x\n', 'work.mjs', ''],
  ])('is refused, as the run would be, for %s', async (_, input, module, out) => {
    const { runtime, write } = place();
    write('other.mjs', 'export default 1; export const odd = () => 1;');
    write('broken.mjs', "throw new Error('not today');");
    const args = (file: string) => ['run', file, '--tasks', '-', '--handler', 'odd', '--run-id', 'r', ...ALONE];
    await runtime(args('work.mjs'), { input: '{"id":"a","input":1}\n' });
    const previewed = await runtime([...args(module), '--preview'], { input });
    expect(previewed.stdout).toContain(out);
    expect(previewed.exitCode).toBe(64);
    expect((await runtime(args(module), { input })).exitCode).toBe(64);
  });
});
