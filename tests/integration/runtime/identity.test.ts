/** A run knows what it is: its module, the text of that, and the handler of tasks that name none. */
import { appendFileSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createExecutor } from '../../../dist/index.js';
import { lines, parsed, place } from '../../support/command.js';
import { tempDir } from '../../support/temp-dir.js';

/** Where it does not matter who runs the tasks. */
const ALONE = ['--no-supervise', '--threads', '1'];

const A = 'export default (input) => `a${input}`;\nexport const other = (input) => `other${input}`;\n';
const B = 'export default (input) => `b${input}`;\n';

/** Two modules of one base name, the first of which has run three lines. */
async function twoModules() {
  const here = place();
  for (const [name, text] of [
    ['a', A],
    ['b', B],
  ] as const) {
    mkdirSync(join(here.dir, name));
    here.write(`${name}/task.mjs`, text);
  }
  const run = (module: string, more: readonly string[] = [], count = 3) =>
    here.runtime(['run', module, '--lines', ...ALONE, ...more], { input: lines(count) });
  const results = async (runId = 'task') => parsed((await here.runtime(['results', runId])).stdout);
  expect(await run('a/task.mjs')).toMatchObject({ exitCode: 0 });
  return { ...here, run, results };
}

describe('another module under the same run id', () => {
  test('is refused with both paths and the ways out, and nothing is changed', async () => {
    const { dir, run, results, runtime } = await twoModules();
    const before = await results();
    const { exitCode, stderr } = await run('b/task.mjs', [], 5);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(`it is of ${join(dir, 'a/task.mjs')}, not of ${join(dir, 'b/task.mjs')}`);
    expect(stderr).toContain('--run-id task-b');
    expect(stderr).toContain('--fresh');
    expect(await results()).toEqual(before);
    expect((await runtime(['status', 'task'])).stdout).toMatch(/tasks +3 done\n/);
    expect(await run('a/task.mjs')).toMatchObject({ exitCode: 0 });
  });

  test('is taken under a name of its own, or when the run is started over', async () => {
    const { run, results } = await twoModules();
    expect(await run('b/task.mjs', ['--run-id', 'task-b'])).toMatchObject({ exitCode: 0 });
    expect((await results('task-b')).map(({ result }) => result).sort()).toEqual(['b1', 'b2', 'b3']);
    expect(await run('b/task.mjs', ['--fresh'])).toMatchObject({ exitCode: 0 });
    expect((await results()).map(({ result }) => result).sort()).toEqual(['b1', 'b2', 'b3']);
    expect(await run('a/task.mjs')).toMatchObject({ exitCode: 64 });
  });

  test('is refused from code as well, by its own code; what is the same under another name is not', async () => {
    const dir = tempDir();
    const [a, b, link] = ['a.mjs', 'b.mjs', 'link.mjs'].map((name) => join(dir, name)) as [string, string, string];
    writeFileSync(a, A);
    writeFileSync(b, B);
    symlinkSync(a, link);
    const start = async (handlers: string | URL) => {
      const executor = await createExecutor({ runId: 'r', handlers, dir: join(dir, 'state'), threads: 1 });
      onTestFinished(() => executor.stop());
      return executor;
    };
    const first = await start(a);
    expect(await first.submit('default', 1, { id: 'x' })).toBe('a1');
    await first.stop();
    await expect(start(b)).rejects.toMatchObject({ code: 'ERR_RUN_MISMATCH' });
    for (const name of [link, pathToFileURL(a), pathToFileURL(link).href]) {
      const again = await start(name);
      expect((await again.outcome('x'))?.result).toBe('a1');
      await again.stop();
    }
  });

  test('takes the place of one that never had a task', async () => {
    const { run } = await twoModules();
    expect(await run('a/task.mjs', ['--run-id', 'empty'], 0)).toMatchObject({ exitCode: 0 });
    expect(await run('b/task.mjs', ['--run-id', 'empty'])).toMatchObject({ exitCode: 0 });
  });
});

test('another handler for tasks that name none is refused in the same words; one that a line names is free', async () => {
  const { run, write, runtime } = await twoModules();
  const { exitCode, stderr } = await run('a/task.mjs', ['--handler', 'other']);
  expect(exitCode).toBe(64);
  expect(stderr).toContain('it is of default, not of other');
  expect(stderr).toContain('--run-id task-other');
  write('tasks.ndjson', '{"id":"named","input":4,"handler":"other"}\n');
  expect(await runtime(['run', 'a/task.mjs', '--tasks', 'tasks.ndjson', ...ALONE])).toMatchObject({ exitCode: 0 });
});

describe('a module that was edited', () => {
  test('goes on with a warning of how many outcomes are of another text, and each tells its own', async () => {
    const { dir, run, results } = await twoModules();
    expect((await run('a/task.mjs')).stderr).not.toContain('another text');
    appendFileSync(join(dir, 'a/task.mjs'), '// edited\n');
    const { exitCode, stderr } = await run('a/task.mjs', [], 4);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('3 outcomes of run task are of another text of its module');
    const versions = (await results()).map(({ version }) => version);
    expect(versions).toEqual([
      ...Array<string>(3).fill(versions[0] as string),
      expect.stringMatching(/^[0-9a-f]{12}$/),
    ]);
    expect(versions[3]).not.toBe(versions[0]);
  });

  test('has outcomes of one text again once the others were retaken', async () => {
    const { dir, write, runtime } = place();
    write('job.mjs', 'export default () => { throw new Error("no"); };\n');
    const run = (...more: string[]) => runtime(['run', 'job.mjs', '--lines', ...ALONE, ...more], { input: lines(2) });
    expect(await run()).toMatchObject({ exitCode: 3 });
    writeFileSync(join(dir, 'job.mjs'), 'export default () => "yes";\n');
    expect(await run('--retry-failed')).toMatchObject({ exitCode: 0 });
    const last = await run();
    expect(last.exitCode).toBe(0);
    expect(last.stderr).not.toContain('another text');
  });

  test('is told with the text that its thread had loaded, whatever lies there by then', async () => {
    const dir = tempDir();
    const module = join(dir, 'job.mjs');
    writeFileSync(module, 'export default () => "first";\n');
    const executor = await createExecutor({
      runId: 'r',
      handlers: module,
      dir: join(dir, 'state'),
      threads: 1,
      recycleAfterTasks: 1,
    });
    onTestFinished(() => executor.stop());
    expect(await executor.submit('default', 1, { id: 'a' })).toBe('first');
    writeFileSync(module, 'export default () => "second";\n');
    const results = new Map<unknown, string | undefined>([['first', (await executor.outcome('a'))!.version]]);
    for (let index = 0; !results.has('second'); index++) {
      const id = `b${index}`;
      await executor.submit('default', index, { id });
      const outcome = (await executor.outcome(id))!;
      results.set(outcome.result, outcome.version);
    }
    expect(new Set(results.values()).size).toBe(2);
    expect(results.get('first')).toBe((await executor.outcome('a'))!.version);
  });
});

describe('a project that was moved', () => {
  test('goes on, says so, and is where it is now from then on', async () => {
    const { dir, run } = await twoModules();
    renameSync(join(dir, 'a'), join(dir, 'c'));
    const moved = await run('c/task.mjs');
    expect(moved.exitCode).toBe(0);
    expect(moved.stderr).toContain(`moved from ${join(dir, 'a/task.mjs')} to ${join(dir, 'c/task.mjs')}`);
    const again = await run('c/task.mjs');
    expect(again.exitCode).toBe(0);
    expect(again.stderr).not.toContain('moved');
  });

  test('is another one if its text is another, or if it is still there', async () => {
    const { dir, run } = await twoModules();
    cpSync(join(dir, 'a'), join(dir, 'c'), { recursive: true });
    expect(await run('c/task.mjs')).toMatchObject({ exitCode: 64 });
    rmSync(join(dir, 'a'), { recursive: true });
    appendFileSync(join(dir, 'c/task.mjs'), '// edited\n');
    expect(await run('c/task.mjs')).toMatchObject({ exitCode: 64 });
  });

  test('by a link that leads elsewhere now has the same name, and is taken for edited', async () => {
    const { dir, run } = await twoModules();
    symlinkSync('a', join(dir, 'current'));
    expect(await run('current/task.mjs')).toMatchObject({ exitCode: 0 });
    rmSync(join(dir, 'current'));
    symlinkSync('b', join(dir, 'current'));
    const { exitCode, stderr } = await run('current/task.mjs', [], 4);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('3 outcomes of run task are of another text');
  });
});
