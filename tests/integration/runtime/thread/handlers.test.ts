import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ExecutorOptions } from '../../../../dist/index.js';
import type { Executor } from '../../../../dist/runtime/executor.js';
import { resolveOptions } from '../../../../dist/runtime/options.js';
import { startExecutor } from '../../../../dist/runtime/start-executor.js';
import { endOf, HANDLERS, rejection, running, startedExecutor } from '../../../support/executors.js';
import { program } from '../../../support/program.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const NODE_MODULES = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
const STRIPS_TYPES = Boolean((process.features as { typescript?: unknown }).typescript);

/** A folder with a module in it, and with what is installed here. */
function moduleFile(name: string, text: string, { installed = true } = {}): string {
  const dir = tempDir();
  if (installed) symlinkSync(realpathSync(NODE_MODULES), join(dir, 'node_modules'));
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const DOUBLE_TS = `
  import type { TaskContext } from 'holdfast';
  interface Doubled<T> { value: T }
  export async function double(n: number, context: TaskContext): Promise<number> {
    context.signal.throwIfAborted();
    const doubled: Doubled<number> = { value: n * 2 };
    return doubled.value satisfies number;
  }
`;

describe('modules of handlers', () => {
  test.each<[name: string, text: string, handlers: string[]]>([
    ['a.mjs', 'export const double = (n) => n * 2; export const answer = 42;', ['double']],
    ['a.js', 'export async function double(n) { return n * 2 }', ['double']],
    ['a.cjs', 'module.exports = { double: (n) => n * 2, "half\\ud800": () => 1 };', ['double']],
    ['computed.cjs', `for (const name of ['double']) module.exports[name] = (n) => n * 2;`, ['double']],
    ['default.mjs', 'export default (n) => n * 2;', ['default']],
    ['function.cjs', 'module.exports = (n) => n * 2;', ['default']],
    ['object.mjs', 'export default { double: (n) => n * 2, notOne: 1 };', ['double']],
    ['with a # and a %20.mjs', 'export const double = (n) => n * 2;', ['double']],
    [
      'later.mjs',
      `const later = await import('node:timers/promises'); await later.setTimeout(5); export const double = (n) => n * 2;`,
      ['double'],
    ],
    ['a.ts', DOUBLE_TS, ['double']],
    ['a.mts', DOUBLE_TS, ['double']],
    ['a.cts', 'exports.double = (n: number): number => n * 2;', ['double']],
  ])('%s', async (name, text, handlers) => {
    const executor = await startedExecutor({ handlers: moduleFile(name, text), threads: 1 });
    // Node 23 adds a name of its own to what CommonJS modules export.
    expect([...executor.handlers].filter((handler) => handler !== 'module.exports')).toEqual(handlers);
    expect(await executor.submit(handlers[0]!, 21)).toBe(42);
  });

  test('named by a file: URL, or by a path from the working directory', async () => {
    const path = moduleFile('a.mjs', 'export const double = (n) => n * 2;');
    for (const handlers of [pathToFileURL(path), pathToFileURL(path).href, path]) {
      const executor = await startedExecutor({ handlers, threads: 1 });
      expect(await executor.submit('double', 2)).toBe(4);
    }
  });

  test('a module that exports nothing to run says so when something is to be run', async () => {
    const executor = await startedExecutor({ handlers: moduleFile('a.mjs', 'export const answer = 42;'), threads: 1 });
    expect(await rejection(executor.submit('answer', 1))).toMatchObject({
      code: 'ERR_HANDLER_MISSING',
      hint: 'It exports: none.',
    });
  });
});

describe('a module that does not load is told before any task is taken', () => {
  test.each<[name: string, text: string, why: RegExp]>([
    ['syntax.mjs', 'export const double = (n) => n * ;', /SyntaxError: .*node --check/],
    [
      'throwing.mjs',
      `\nthrow new TypeError('no configuration');`,
      /TypeError: no configuration \(file:.*throwing\.mjs:2:/,
    ],
    ['null.mjs', 'throw null;', /a value that is not an Error was thrown: null/],
    ['exiting.mjs', 'process.exit(7);', /the thread died over it: .*code: 7/],
    [
      'rejecting.mjs',
      `void Promise.reject(new Error('not awaited')); await new Promise(() => {});`,
      /the thread died over it: not awaited/,
    ],
    ['import.mjs', `import 'no-such-package';`, /no-such-package/],
    ['lacking.mjs', `import { nope } from 'node:fs';`, /SyntaxError: .*nope/],
    ['folder/inner.mjs', `import './gone.mjs';`, /gone\.mjs/],
    ['a.cjs', `module.exports = {}; throw new Error('from CommonJS');`, /from CommonJS/],
    ['types.ts', 'export const double = (n: number): number => n * ;', /types\.ts/],
    ['a.wasm2', 'no module at all', /Unknown file extension/],
  ])('%s', async (name, text, why) => {
    const handlers = moduleFile(name, text);
    const dir = tempDir();
    const error = await rejection(start({ handlers, dir }));
    expect(error).toMatchObject({ code: 'ERR_HANDLER_MODULE', message: expect.stringMatching(why) });
    expect(error.message).toContain(`cannot load ${handlers}`);
    expect(error.cause).toBeDefined();
    // Nothing is left behind: neither a lock nor a run.
    expect(existsSync(join(dir, 'runs', 'run-1'))).toBe(false);
    await (await start({ dir, handlers: HANDLERS })).stop();
  });

  test('a file that is not there', async () => {
    const handlers = join(tempDir(), 'gone.mjs');
    expect(await rejection(start({ handlers }))).toMatchObject({
      code: 'ERR_HANDLER_MODULE',
      message: `cannot load ${handlers}: there is no such file`,
    });
  });

  // Where Node strips types by itself, there is nothing to install.
  test.skipIf(STRIPS_TYPES)('TypeScript where nothing can run it, with what to install', async () => {
    const handlers = moduleFile('a.ts', DOUBLE_TS, { installed: false });
    const error = await rejection(start({ handlers }));
    expect(error).toMatchObject({
      code: 'ERR_HANDLER_MODULE',
      message: expect.stringContaining('npm install --save-dev tsx'),
    });
  });

  test('with several threads, all of them end', async () => {
    const handlers = moduleFile('a.mjs', `throw new Error('no')`);
    expect(await rejection(start({ handlers, threads: 4 }))).toMatchObject({ code: 'ERR_HANDLER_MODULE' });
  });
});

test('a thread that cannot even come up is told, and not waited for', async () => {
  const preload = moduleFile(
    'preload.cjs',
    `if (!require('node:worker_threads').isMainThread) throw new Error('not in a thread');`,
  );
  const { said, code } = await program(`await open().catch(({ code, message }) => say({ code, message }));`, {
    nodeOptions: ['--require', preload],
  });
  expect(said).toEqual([
    { code: 'ERR_HANDLER_MODULE', message: expect.stringContaining('the thread died over it: not in a thread') },
  ]);
  expect(code).toBe(0);
});

describe('a module that changes while the run goes on', () => {
  test('and does not load any more, ends the run with the reason when a thread is to be replaced', async () => {
    const handlers = moduleFile('a.mjs', 'export const exit = () => process.exit(1); export const echo = (x) => x;');
    const executor = await startedExecutor({ handlers, threads: 1 });
    const failed = new Promise<Error>((resolve) => executor.once('failed', resolve));
    rmSync(handlers);
    expect(await rejection(executor.scale(2))).toMatchObject({ code: 'ERR_HANDLER_MODULE' });
    expect(await executor.submit('echo', 1)).toBe(1);
    const task = rejection(executor.submit('exit', 1));
    const error = await failed;
    expect(error).toMatchObject({
      code: 'ERR_HANDLER_MODULE',
      message: expect.stringContaining('there is no such file'),
    });
    expect(await task).toBe(error);
    expect(executor.mode).toBe('failed');
    expect(executor.error).toBe(error);
    expect((await executor.status()).error).toEqual({ code: 'ERR_HANDLER_MODULE', message: error.message });
    for (const asked of [executor.submit('echo', 1), executor.idle(), executor.enqueue([]), executor.scale(1)]) {
      expect(await rejection(asked)).toBe(error);
    }
    executor.resume();
    expect(executor.mode).toBe('failed');
    await executor.stop();
    expect(executor.mode).toBe('stopped');
  });

  test('and lacks a handler that stored tasks want, fails those with a sentence, and does the others', async () => {
    const dir = tempDir();
    const module = moduleFile('a.mjs', 'export const echo = (x) => x; export const describe = (x) => x;');
    const first = await startedExecutor({ dir, durable: true, handlers: module });
    first.pause();
    const options = [{ id: 'old' }, { id: 'kept' }];
    const waiting = ['describe', 'echo'].map((handler, index) => endOf(first.submit(handler, 1, options[index])));
    await waitFor('both to be queued', async () => (await first.counts()).queued === 2);
    await first.stop();
    expect(await Promise.all(waiting)).toEqual(['ERR_EXECUTOR_STOPPED', 'ERR_EXECUTOR_STOPPED']);
    writeFileSync(module, 'export const echo = (x) => x;');
    const second = await startedExecutor({ dir, durable: true, handlers: module });
    await second.idle();
    expect(await second.outcome('old')).toMatchObject({
      state: 'failed',
      error: { code: 'ERR_HANDLER_MISSING', message: 'the module exports no function "describe"' },
    });
    expect(await second.outcome('kept')).toMatchObject({ state: 'done', result: 1 });
  });

  test('a module that takes every waiting thread down makes its tasks `crashed`, not the run', async () => {
    const text = `setInterval(() => { throw new Error('from the module') }, 1); export const echo = (x) => x;
      export const wait = () => new Promise(() => setInterval(() => {}, 1000));`;
    const executor = await startedExecutor({ handlers: moduleFile('a.mjs', text), maxCrashes: 2 });
    expect(await endOf(executor.submit('wait', 1))).toBe('crashed');
    expect(await executor.submit('echo', 2)).toBe(2);
  });
});

describe('the context', () => {
  test('tells the id, the attempt, the folder and the fencing token', async () => {
    const dir = tempDir();
    const first = await startedExecutor({ dir, durable: true });
    const context = { attempt: 1, cwd: process.cwd(), aborted: false };
    expect(await first.submit('describe', 0, { id: 'a' })).toEqual({ ...context, taskId: 'a', fencingToken: 1 });
    expect(await first.submit('describe', 0)).toEqual({ ...context, taskId: '#2', fencingToken: 1 });
    await first.stop();
    const second = await startedExecutor({ dir, durable: true });
    expect(await second.submit('describe', 1)).toEqual({ ...context, taskId: '#3', fencingToken: 2 });
  });

  test('can be taken apart', async () => {
    const executor = await startedExecutor();
    const logged: unknown[] = [];
    executor.on('log', (entry) => logged.push(entry));
    expect(await executor.submit('takeApart', 0, { id: 'a' })).toBe('a');
    await waitFor('the log', () => logged.length > 0);
    expect(logged).toEqual([
      {
        level: 'info',
        message: 'taken apart',
        taskId: 'a',
        attempt: 1,
        thread: expect.any(Number),
        fields: { attempt: 1, cwd: process.cwd(), fencingToken: 1, aborted: false },
      },
    ]);
  });

  test('passes progress on at most ten times a second, but for the end of it', async () => {
    const executor = await startedExecutor({ threads: 1 });
    const text = (done: number, total?: number) => executor.submit('progressOften', [done, total], { id: `${done}` });
    const progress = async (id: string) => {
      await running(executor, id);
      return waitFor('its progress', async () => (await executor.status()).threads[0]!.running[0]?.progress);
    };
    for (const [done, total, seen] of [
      [9, undefined, { done: 0 }],
      [8, 20, { done: 0, total: 20 }],
      [7, 7, { done: 7, total: 7 }],
    ] as const) {
      const task = text(done, total);
      expect(await progress(`${done}`)).toEqual(seen);
      await executor.cancel(`${done}`);
      await task;
    }
  });

  test('logs at four levels, and what cannot travel as text', async () => {
    const executor = await startedExecutor();
    const logged: { level: string; message: string; fields?: unknown }[] = [];
    executor.on('log', ({ level, message, fields }) => logged.push({ level, message, fields }));
    await executor.submit('logAll', 0);
    await waitFor('the log', () => logged.length === 4);
    expect(logged).toEqual([
      { level: 'debug', message: 'd', fields: undefined },
      { level: 'info', message: 'i', fields: { n: 1 } },
      { level: 'warn', message: 'w', fields: { at: new Date(0) } },
      { level: 'error', message: 'e', fields: { fields: '{ cannotTravel: [Function: cannotTravel] }' } },
    ]);
  });

  test('logs in the form of pino as well', async () => {
    const executor = await startedExecutor();
    const logged: { message: string; fields?: unknown }[] = [];
    executor.on('log', ({ message, fields }) => logged.push({ message, fields }));
    await executor.submit('logAsPino', 0);
    await waitFor('the log', () => logged.length === 5);
    const err = expect.objectContaining({ name: 'RangeError', message: 'no' }) as Error;
    expect(logged).toEqual([
      { message: 'fields first', fields: { n: 1 } },
      { message: '', fields: { n: 2 } },
      { message: 'no', fields: { err } },
      { message: 'it failed', fields: { err } },
      { message: 'one of 2', fields: undefined },
    ]);
  });

  test('a task that goes on telling its progress when it has ended disturbs nobody', async () => {
    const executor = await startedExecutor({ threads: 1, concurrency: 2 });
    await executor.submit('chatter', 0);
    const task = executor.submit('progressAndWait', 3, { id: 'a' });
    await running(executor, 'a');
    await executor.submit('wait', 20);
    const [running1] = (await executor.status()).threads.flatMap((thread) => thread.running);
    expect(running1).toMatchObject({ id: 'a', handler: 'progressAndWait' });
    if (running1!.progress) expect(running1!.progress).toEqual({ done: 3, total: 10 });
    await executor.cancel('a');
    await task;
  });

  test('its signal is aborted with a reason that tells why', async () => {
    const executor = await startedExecutor({ timeout: 50, grace: 20_000 });
    expect(await rejection(executor.submit('spinUntilAborted', 0))).toMatchObject({ code: 'ERR_TASK_TIMED_OUT' });
    const cancelled = executor.submit('spinUntilAborted', 0, { id: 'a', timeoutMs: 60_000 });
    await running(executor, 'a');
    await executor.cancel('a');
    expect(await cancelled).toBe('AbortError');
  });
});

describe('what handlers print', () => {
  test('is told as events where output is captured, with the thread it came from, and whole characters', async () => {
    const text = `
      export const print = (text) => { console.log(text); process.stderr.write(text + ' on stderr\\n'); };
      export const pieces = () => new Promise((resolve) => {
        const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
        process.stdout.write(first);
        process.stdout.write(second, () => process.stdout.write('aGk=', 'base64', resolve));
      });`;
    const executor = await start({ handlers: moduleFile('a.mjs', text), threads: 1 }, { captureOutput: true });
    const printed: [string, string, number, string][] = [];
    executor.on('output', (text, stream, thread, { attempts, others }) => {
      const printers = attempts.map(({ taskId, attempt }) => `${taskId} ${attempt}`).join();
      printed.push([text, stream, thread, `${printers}, ${others} others`]);
    });
    await executor.submit('print', 'a line', { id: 'a' });
    await executor.submit('pieces', 0, { id: 'b' });
    await waitFor('all output', () => printed.length === 4);
    expect(printed).toEqual([
      ['a line\n', 'stdout', 1, 'a 1, 0 others'],
      ['a line on stderr\n', 'stderr', 1, 'a 1, 0 others'],
      ['é', 'stdout', 1, 'b 1, 0 others'],
      ['hi', 'stdout', 1, 'b 1, 0 others'],
    ]);
  });
});

/** An executor as `runtime run` starts it; ends with the test. */
async function start(options: Partial<ExecutorOptions>, settings = {}): Promise<Executor> {
  const resolved = resolveOptions({ runId: 'run-1', dir: tempDir(), threads: 2, handlers: HANDLERS, ...options });
  const { executor } = await startExecutor(resolved, settings);
  onTestFinished(() => executor.stop({ force: true }).catch(() => {}));
  return executor;
}
