import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { place } from '../../support/command.js';
import { rejection, startedExecutor } from '../../support/executors.js';
import { longTestAfter } from '../../support/long.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

/** Gathers rows, and writes them 300 at a time to a file of its thread. */
const GATHER = `
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

let rows = [];
let file;

export async function setup({ thread }) {
  file = createWriteStream('rows-' + thread, { flags: 'wx' });
  await once(file, 'open');
}

export async function row(input) {
  // From the middle on, it goes on when the file "open" is there.
  while (Number(input) >= 1000 && process.env.GATED && !existsSync('open')) await sleep(2);
  rows.push(input);
  if (rows.length === 300) flush();
}

function flush() {
  file.write(rows.join('\\n') + '\\n');
  rows = [];
}

export async function teardown() {
  if (rows.length > 0) flush();
  file.end();
  await once(file, 'close');
}
`;

const LINES = Array.from({ length: 2000 }, (_, n) => `${n}\n`).join('');

function written(dir: string): string[] {
  const files = readdirSync(dir).filter((name) => name.startsWith('rows-'));
  return files.flatMap((name) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n'));
}

describe('what handlers gather is on the disk when the run has ended', () => {
  longTestAfter<[string[]]>(2, [
    [[]],
    // Each thread opens a new file under its number, so the one before it has to be done with it.
    [['--recycle-after-tasks', '170', '--threads', '2', '--no-supervise']],
    [['--no-supervise']],
    [['--concurrency', '5']],
  ])('with %j', async (flags) => {
    const { dir, write, runtime } = place();
    const recycled = flags.includes('--recycle-after-tasks');
    write('gather.mjs', recycled ? GATHER.replace("flags: 'wx'", "flags: 'a'") : GATHER);
    const { exitCode, stdout } = await runtime(['run', 'gather.mjs', '--lines', '--json', ...flags], { input: LINES });
    expect([exitCode, JSON.parse(stdout).counts.done]).toEqual([0, 2000]);
    expect(new Set(written(dir)).size).toBe(2000);
  });

  test.each(['drain', 'SIGINT'] as const)('that is, of all tasks that were done by then, after %s', async (how) => {
    const { dir, write, runtime, start, until } = place();
    write('gather.mjs', GATHER);
    write('lines', LINES);
    const run = start(['run', 'gather.mjs', '--lines', '--threads', '2', '--json'], {
      input: LINES,
      env: { GATED: '1' },
    });
    await until('gather', ({ counts }) => (counts.done ?? 0) >= 1000);
    if (how === 'drain') {
      const drained = runtime(['drain', 'gather']);
      await until('gather', ({ state }) => state === 'draining');
      write('open', '');
      await drained;
    } else {
      run.kill('SIGINT');
      write('open', '');
    }
    const { exitCode, stdout, stderr } = await run;
    expect([exitCode, stderr]).toEqual([how === 'drain' ? 3 : 130, expect.not.stringContaining('teardown')]);
    const { counts, untorn } = JSON.parse(stdout);
    const { done } = counts;
    expect([done >= 1000, untorn]).toEqual([true, undefined]);
    expect(new Set(written(dir)).size).toBe(done);
  });
});

describe('a teardown that fails is told, with whose work it concerns', () => {
  test.each([
    ['throws', `throw new Error('the disk is full');`, 'the disk is full'],
    ['hangs', `return new Promise(() => setInterval(() => {}, 1000));`, 'has not ended within the grace'],
    ['blocks', `for (;;);`, 'has not ended within the grace'],
    ['ends its thread', `process.exit(7);`, 'the thread died in teardown'],
  ])('one that %s', async (_, body, why) => {
    const { write, runtime } = place();
    write('bad.mjs', `export default (input) => input;\nexport function teardown() { ${body} }\n`);
    const flags = ['--threads', '1', '--no-supervise', '--grace', '300ms', '--json'];
    const { exitCode, stdout, stderr } = await runtime(['run', 'bad.mjs', '--lines', ...flags], {
      input: 'a\nb\nc\nd\ne\nf\ng\n',
    });
    expect(exitCode).toBe(3);
    const { counts, untorn } = JSON.parse(stdout);
    expect(counts.done).toBe(7);
    expect(untorn).toMatchObject({ threads: 1, outcomes: 7, why: expect.stringContaining(why) });
    expect(untorn.tasks).toHaveLength(5);
    expect(stderr).toContain(why);
    expect(stderr).toContain(`what 7 done tasks left to it may be lost: ${untorn.tasks.join(', ')}, …`);
  });

  test('in code: by an event, by tearDown(), and else by stop(), which has stopped all the same', async () => {
    const { write } = place();
    const handlers = write(
      'bad.mjs',
      `export const echo = (x) => x; export const teardown = () => { throw new Error('no'); };`,
    );
    const executor = await startedExecutor({ handlers, threads: 1 });
    expect([...executor.handlers]).toEqual(['echo']);
    const told: unknown[] = [];
    executor.on('teardown-failed', (event) => told.push(event));
    await executor.submit('echo', 1, { id: 'one' });
    expect(await rejection(executor.stop())).toMatchObject({
      code: 'ERR_TEARDOWN',
      message: expect.stringContaining('what 1 done tasks left to it may be lost: one'),
    });
    expect(executor.mode).toBe('stopped');
    expect(told).toEqual([
      { thread: 1, cause: expect.objectContaining({ message: 'no' }), outcomes: 1, tasks: ['one'] },
    ]);

    const other = await startedExecutor({ handlers, threads: 1 });
    await other.submit('echo', 1, { id: 'two' });
    expect(await other.tearDown()).toEqual({ threads: 1, outcomes: 1, tasks: ['two'], why: 'no' });
    await other.stop();
  });

  test.each([
    ['is torn down when that is over', { grace: 60_000, opens: true, torn: 2 }],
    ['is ended after the grace, and nothing is told of it', { grace: 100, opens: false, torn: 1 }],
  ])('a thread that is still being set up %s', async (_, { grace, opens, torn }) => {
    const { dir, write } = place();
    const handlers = write(
      'slow.mjs',
      `import { existsSync } from 'node:fs';
       import { setTimeout as sleep } from 'node:timers/promises';
       export async function setup({ thread }) {
         while (thread === 2 && !existsSync(${JSON.stringify(join(dir, 'open'))})) await sleep(2);
       }
       export const echo = (x) => x;
       export const teardown = () => { throw new Error('no'); };`,
    );
    const executor = await startedExecutor({ handlers, threads: 2, grace });
    await executor.submit('echo', 1, { id: 'one' });
    const down = executor.tearDown();
    if (opens) write('open', '');
    expect(await down).toEqual({ threads: torn, outcomes: 1, tasks: ['one'], why: 'no' });
    await executor.stop();
    expect(executor.error).toBeUndefined();
  });

  test('a thread that dies under a task is not torn down: what others left to it is told', async () => {
    const { write } = place();
    const handlers = write(
      'dies.mjs',
      `export const echo = (x) => x;
       export const exit = () => process.exit(3);
       export const teardown = () => {};`,
    );
    const executor = await startedExecutor({ handlers, threads: 1, maxCrashes: 1 });
    const told: { outcomes: number; tasks: string[] }[] = [];
    executor.on('teardown-failed', ({ outcomes, tasks }) => told.push({ outcomes, tasks }));
    await executor.submit('echo', 1, { id: 'left' });
    await rejection(executor.submit('exit', 1));
    expect(told).toEqual([{ outcomes: 1, tasks: ['left'] }]);
    expect(await executor.tearDown()).toMatchObject({ threads: 1, outcomes: 1, tasks: ['left'] });
    await executor.stop();
  });
});

test('an executor that was torn down only drains, and what is submitted waits for the next one', async () => {
  const { dir, write } = place();
  const handlers = write('plain.mjs', `export const echo = (x) => x; export const teardown = () => {};`);
  const options = { handlers, dir: join(dir, 'state'), durable: true };
  const executor = await startedExecutor(options);
  // Also while it is being torn down.
  const down = executor.tearDown();
  executor.resume();
  expect(await down).toBeUndefined();
  executor.resume();
  await executor.scale(4);
  expect(executor.mode).toBe('draining');
  expect(executor.probe().ready.ok).toBe(false);
  const submitted = rejection(executor.submit('echo', 1, { id: 'one' }));
  expect(await executor.enqueue([{ handler: 'echo', input: 2, id: 'two' }])).toMatchObject([{ status: 'added' }]);
  await executor.stop();
  expect(await submitted).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });

  const next = await startedExecutor(options);
  await next.idle();
  for (const id of ['one', 'two']) expect(await next.outcome(id)).toMatchObject({ state: 'done' });
});

describe('setup', () => {
  test('runs once in each thread, before any task; the one of a new thread after the teardown of the one before it', async () => {
    const log = join(tempDir(), 'log');
    const { write } = place();
    const handlers = write(
      'log.mjs',
      `import { appendFileSync } from 'node:fs';
       import { setTimeout as sleep } from 'node:timers/promises';
       const say = (what) => appendFileSync(${JSON.stringify(log)}, what + '\\n');
       export async function setup({ thread }) { await sleep(5); say('setup ' + thread); }
       export const task = () => say('task');
       export async function teardown({ thread }) { await sleep(5); say('teardown ' + thread); }`,
    );
    const executor = await startedExecutor({ handlers, threads: 1, recycleAfterTasks: 2, grace: 5_000 });
    await executor.submit('task', 1);
    await executor.submit('task', 2);
    await executor.submit('task', 3);
    await executor.stop();
    const thread = ['setup 1', 'task', 'task', 'teardown 1', 'setup 1', 'task', 'teardown 1'];
    expect(readFileSync(log, 'utf8').trimEnd().split('\n')).toEqual(thread);
  });

  test.each([
    ['throws', `throw new TypeError('no pool');`, 'TypeError: no pool'],
    ['ends its thread', `process.exit(4);`, 'the thread died over it'],
  ])('where it %s, the module does not load', async (_, body, why) => {
    const { write, runtime } = place();
    write('bad.mjs', `export default (input) => input;\nexport function setup() { ${body} }\n`);
    const { exitCode, stderr } = await runtime(['run', 'bad.mjs', '--lines'], { input: 'a\n' });
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(why)]);
    expect(stderr).not.toContain('    at ');
  });

  test('a module without them ends as it did', async () => {
    const { dir, write, runtime } = place();
    write('plain.mjs', `export const setup = 7;\nexport default (input) => input;\n`);
    const { exitCode } = await runtime(['run', 'plain.mjs', '--lines'], { input: 'a\n' });
    expect(exitCode).toBe(0);
    await waitFor('nothing', () => !existsSync(join(dir, 'rows-1')));
  });
});

test('a report that comes while a thread is torn down does not end it', async () => {
  const dir = tempDir();
  const module = join(dir, 'holds.mjs');
  writeFileSync(
    module,
    `import { existsSync, writeFileSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     const file = (name) => new URL(name, import.meta.url);
     export function hold() {
       while (!existsSync(file('open')));
     }
     export async function teardown() {
       await sleep(100);
       writeFileSync(file('torn-down'), '');
     }`,
  );
  const executor = await startedExecutor({ handlers: module, threads: 1, concurrency: 2, grace: '10s' });
  const first = executor.submit('hold', 1);
  await waitFor('the first to run', async () => (await executor.status()).threads[0]!.running.length === 1);
  // Its batch lies unread before the thread, is taken back, and reported as empty when the thread comes to it.
  void executor.submit('hold', 2).catch(() => {});
  await waitFor('the second to be on its way', async () => (await executor.counts()).running === 2);
  const drained = executor.drain();
  writeFileSync(join(dir, 'open'), '');
  await first;
  await drained;
  expect(await executor.tearDown()).toBeUndefined();
  expect(existsSync(join(dir, 'torn-down'))).toBe(true);
});
