/** `holdfast/testing` as its users have it: in runs of vitest and of node:test, each a process of its own. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { assertNoPending } from '../../../../dist/debug/pending/assert-no-pending.js';
import { rejection } from '../../../support/executors.js';
import { longTest, longTestAfter } from '../../../support/long.js';
import { program } from '../../../support/program.js';
import { tempDir } from '../../../support/temp-dir.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** A project that has holdfast and vitest installed, with one test file. */
function project(head: string, tests = TESTS): { dir: string; file: string } {
  const dir = realpathSync(tempDir());
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(ROOT, join(dir, 'node_modules/holdfast'));
  symlinkSync(join(ROOT, 'node_modules/vitest'), join(dir, 'node_modules/vitest'));
  const file = join(dir, 'leaves.test.mjs');
  writeFileSync(file, `${head}\n${tests}`);
  return { dir, file };
}

const TESTS = `
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNoPending } from 'holdfast/testing';

async function soon() {
  await sleep(20);
}
async function wanted() {
  await sleep(60_000, undefined, { ref: false });
}
async function poll() {
  for (;;) await sleep(60_000, undefined, { ref: false });
}
async function forgotten() {
  await Promise.all([sleep(60_000, undefined, { ref: false }), inner()]);
}
async function inner() {
  await sleep(60_000, undefined, { ref: false });
}

afterEach(async () => {
  // On a machine with too much to do, a check is skipped at times.
  for (let skipped; skipped === undefined || skipped.length > 0; ) {
    ({ skipped } = await assertNoPending({ ignore: ['wanted', /poll .*leaves[.]test[.]mjs/], within: 1_000 }));
  }
});

test('awaits what it starts', async () => {
  await soon();
});
test('leaves what ends by itself', () => {
  void soon();
});
test('leaves what is ignored', () => {
  void wanted();
  void poll();
});
test('leaves two pending', () => {
  void forgotten();
  void forgotten();
});
`;

const LEFT = [
  /^2 async functions were left pending:$/,
  /^(main|worker \d+.*)$/,
  /^└─ forgotten ×2 +\S*leaves\.test\.mjs:\d+:\d+$/,
  /^ {3}├─ Promise\.all ▸ inner ×2 +\S*leaves\.test\.mjs:\d+:\d+$/,
  /^ {3}│ {2}└─ timer, due in .* ×2$/,
  /^ {3}└─ Promise\.all ▸ timer, due in .* ×2$/,
];

/** The lines of a tree; what stands side by side in any order. */
function expectLeft(message: string): void {
  const lines = message.trimEnd().split('\n');
  expect(lines).toHaveLength(LEFT.length);
  for (const expected of LEFT.slice(0, 3))
    expect(
      lines.some((line) => expected.test(line)),
      message,
    ).toBe(true);
  expect(lines.filter((line) => line.includes('timer, due in'))).toHaveLength(2);
  expect(lines.filter((line) => line.includes('Promise.all ▸'))).toHaveLength(2);
  expect(lines.filter((line) => line.includes('inner ×2'))).toHaveLength(1);
}

longTestAfter(0, ['forks', 'threads'])(
  'in vitest (%s) a test that leaves async functions pending fails with their tree; the others pass',
  async (pool) => {
    const { dir } = project(`import { afterEach, test } from 'vitest';`);
    const { stdout, exitCode } = await execa(
      process.execPath,
      [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', dir, '--pool', pool, '--reporter', 'json'],
      { cwd: dir, reject: false },
    );
    const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
    };
    const results = testResults[0]!.assertionResults;
    expect(results.map(({ title, status }) => [title, status])).toEqual([
      ['awaits what it starts', 'passed'],
      ['leaves what ends by itself', 'passed'],
      ['leaves what is ignored', 'passed'],
      ['leaves two pending', 'failed'],
    ]);
    const [message] = results.at(-1)!.failureMessages;
    expectLeft(message!.replace(/^HoldfastError: /, '').split(/\n +at /)[0]!);
    expect(exitCode).toBe(1);
  },
);

test('in node:test a test that leaves async functions pending fails with their tree; the others pass', async () => {
  const { dir, file } = project(`import { afterEach, test } from 'node:test';`);
  const { stdout, exitCode } = await execa(process.execPath, ['--test', '--test-reporter', 'tap', file], {
    cwd: dir,
    reject: false,
  });
  const ends = [...stdout.matchAll(/^ *(not ok|ok) \d+ - (.*)$/gm)].map(([, end, title]) => [title, end]);
  expect(ends.filter(([title]) => !title!.endsWith('.mjs'))).toEqual([
    ['awaits what it starts', 'ok'],
    ['leaves what ends by itself', 'ok'],
    ['leaves what is ignored', 'ok'],
    ['leaves two pending', 'not ok'],
  ]);
  const message = /error: \|-\n((?: {4,}.*\n)+)/.exec(stdout)![1]!;
  expectLeft(message.replaceAll(/^ {4,}(?=2 async|main|└─| {3}[├│└])/gm, ''));
  expect(stdout).toContain(`code: 'ERR_PENDING'`);
  expect(exitCode).toBe(1);
});

const INNOCENT = `
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNoPending } from 'holdfast/testing';

async function poll() {
  for (;;) await sleep(5, undefined, { ref: false });
}
afterEach(() => assertNoPending());

test('is clean', () => sleep(1));
test('leaves one', () => void poll());
test('is clean after it', () => sleep(1));
test('leaves two like it', () => [poll(), poll()].length);
test('is clean after them', () => sleep(1));
`;

test('a test is not blamed for what another one has left: it is told once', async () => {
  const { dir, file } = project(`import { afterEach, test } from 'node:test';`, INNOCENT);
  const { stdout } = await execa(process.execPath, ['--test', '--test-reporter', 'tap', file], {
    cwd: dir,
    reject: false,
  });
  const ends = [...stdout.matchAll(/^ *(not ok|ok) \d+ - (.*)$/gm)].map(([, end, title]) => [title, end]);
  expect(ends.filter(([title]) => !title!.endsWith('.mjs'))).toEqual([
    ['is clean', 'ok'],
    ['leaves one', 'not ok'],
    ['is clean after it', 'ok'],
    ['leaves two like it', 'not ok'],
    ['is clean after them', 'ok'],
  ]);
  expect(stdout).toContain('1 async function was left pending:');
  expect(stdout).toContain('2 async functions were left pending, besides 1 that was reported before:');
});

test('a task that still runs on a thread of an executor is left pending, with its thread and its id; idle threads are not', async () => {
  const { said } = await program(`
    import { assertNoPending } from ${JSON.stringify(join(ROOT, 'dist/testing.js'))};
    const executor = await open({ threads: 2, durable: false });
    await assertNoPending();
    executor.submit('lateTimes', 1, { id: 'a' }).catch(() => {});
    const isRunning = async () => (await executor.status()).threads.some(({ running }) => running.length > 0);
    while (!(await isRunning())) await new Promise((resolve) => setTimeout(resolve, 5));
    const { code, hint, message } = await assertNoPending({ within: 0 }).catch((error) => error);
    say({ code, hint, message });
    await executor.cancel('a');
    await executor.idle();
    await assertNoPending();
    await executor.stop();
    say('nothing left');
  `);
  const message = expect.stringMatching(/^1 async function was left pending:\nworker \d+/) as string;
  expect(said).toEqual([
    { code: 'ERR_PENDING', hint: expect.stringContaining('ignore') as string, message },
    'nothing left',
  ]);
  const [{ message: told }] = said as [{ message: string }];
  expect(told).toContain('task "a" (handler lateTimes, attempt 1');
  expect(told).toMatch(/lateTimes +\S*handlers\.mjs:\d+:\d+/);
});

longTest(
  'a check that cannot look is a skip, told on standard error and by what it gives; what others left still fails',
  async () => {
    const { dir, file } = project('');
    const script = `
    import { Worker } from 'node:worker_threads';
    import { assertNoPending } from 'holdfast/testing';
    new Worker("require('node:child_process').spawnSync('sleep', ['20'])", { eval: true });
    let check;
    do check = await assertNoPending(); while (check.skipped.length === 0);
    (async function left() { await new Promise((resolve) => (globalThis.held = resolve)); })();
    const failure = await assertNoPending().catch(({ message }) => message);
    console.log(JSON.stringify({ ...check, failure }));
    process.kill(process.pid, 'SIGKILL');
  `;
    writeFileSync(file, script);
    const { stdout, stderr } = await execa(process.execPath, [file], { cwd: dir, reject: false });
    const { skipped, failure } = JSON.parse(stdout) as { skipped: string[]; failure: string };
    expect(skipped).toEqual([expect.stringMatching(/^worker 1: it is in native code/)]);
    expect(stderr).toMatch(
      /^holdfast: assertNoPending could not look, and skipped a check \(1 of \d+ so far\): worker 1: it is in native code/m,
    );
    expect(failure).toMatch(/^1 async function was left pending:\nmain\n└─ left /);
  },
);

test('what is wrong with its options is told, all together', async () => {
  const error = await rejection(assertNoPending({ ignore: 'poll', within: -1 } as never));
  expect(error).toMatchObject({ code: 'ERR_INVALID_OPTIONS', faults: [{ where: 'ignore' }, { where: 'within' }] });
});
