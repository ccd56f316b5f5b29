/** Where tasks stand that are stuck: real threads, real looks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ExecutorOptions, TaskError, TasksStuck } from '../../../dist/index.js';
import { inspectSelf } from '../../../dist/debug/inspect-self.js';
import { place } from '../../support/command.js';
import { endOf, HANDLERS, rejection, running, startedExecutor } from '../../support/executors.js';
import { longTest, longTestAfter } from '../../support/long.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

/** For a look on a machine with a lot else to do, and a second one after the rest that a thread gets. */
const LONG_MS = 60_000;
vi.setConfig({ testTimeout: 2 * LONG_MS });

const JOBS = `import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const held = [];
export async function work(ms, { signal }) {
  await inner(ms, signal);
}
async function inner(ms, signal) {
  await sleep(ms, undefined, { signal });
}
export async function never() {
  await new Promise(() => {});
}
export async function many(_, { signal }) {
  await Promise.all([inner(60_000, signal), inner(60_000, signal), new Promise((resolve) => held.push(resolve))]);
}
export async function later() {
  await sleep(1);
  spin();
}
export function spin() {
  deeper();
}
function deeper() {
  for (;;);
}
export async function until(file) {
  while (!existsSync(file)) await sleep(500);
}
export async function failAfter(file) {
  await until(file);
  throw new Error('in the end');
}
export const echo = (input) => input;
export function grow() {
  globalThis.grown = Array.from({ length: 1_500_000 }, (_, index) => ({ index, text: 'x' + index }));
}
`;

/** An executor of these jobs, what it told of those that are stuck, and the place of a line, as a stack has it. */
async function jobs(options: Partial<ExecutorOptions> = {}) {
  const file = join(tempDir(), 'jobs.mjs');
  writeFileSync(file, JOBS);
  const executor = await startedExecutor({ handlers: file, threads: 1, ...options });
  const told: TasksStuck[] = [];
  executor.on('tasks-stuck', (stuck) => told.push(stuck));
  return { executor, told, at: (text: string) => placeOf(file, text) };
}

/** Of the only line that holds this text: its first column. */
function placeOf(file: string, text: string): string {
  const lines = JOBS.split('\n');
  const index = lines.findIndex((line) => line.includes(text));
  return `${file}:${index + 1}:${lines[index]!.indexOf(text) + 1}`;
}

async function stuckAt(promise: Promise<unknown>): Promise<string | undefined> {
  return ((await rejection(promise)) as unknown as TaskError).outcome.error?.stuckAt;
}

/** Why it is not told where a task waits, on a machine that has too much else to do for a look within 250 ms. */
const NO_TIME =
  'what it awaits is not known: to walk through its heap of [\\d.]+MB it would have to stand still for about [\\d.]+m?s, and a task that is to stop hears of it within 250ms.*|not known: its thread could not be inspected within 250ms, and then it was asked to stop|not known: it was over before its thread could be inspected';

/** These chains, if there was time; functions by the place of their await, or by where they are written. */
function seenInTime(...steps: string[]): RegExp {
  const functions = steps.map((name) => `${name} \\((written at )?[^ ]+jobs\\.mjs:\\d+:\\d+\\)`);
  return new RegExp(`^(waiting: ${functions.join(' → ')} → then ▸ timer, due in .*|${NO_TIME})$`);
}

describe('a task that is out of time tells where it stood when its time was up', () => {
  test('though it stopped as soon as it heard of it; or why there was no time to see that', async () => {
    const { executor, told } = await jobs();
    const error = await rejection(executor.submit('work', 60_000, { id: 'a', timeoutMs: 50 }));
    const { outcome } = error as unknown as TaskError;
    expect(outcome).toMatchObject({
      state: 'timed-out',
      error: { message: 'the task ran for longer than its timeout of 50ms' },
    });
    expect(outcome.error!.stuckAt).toMatch(seenInTime('work', 'inner'));
    expect((error.cause as { stuckAt?: string }).stuckAt).toBe(outcome.error!.stuckAt);
    expect(told[0]).toEqual({
      thread: 1,
      tasks: ['a'],
      why: 'timed-out',
      runningMs: expect.any(Number),
      timeoutMs: 50,
      stuckAt: outcome.error!.stuckAt,
    });
    // On a machine with too much to do, it may hear of it late.
    expect(told.slice(1).every(({ why }) => why === 'unyielding')).toBe(true);
    // It kept its thread.
    expect(await executor.submit('echo', 1)).toBe(1);
  });

  longTest('on time, though its heap is too large to be walked through', async () => {
    const { executor } = await jobs();
    await executor.submit('grow', 0);
    expect(await stuckAt(executor.submit('work', 60_000, { timeoutMs: 50 }))).toMatch(new RegExp(`^(${NO_TIME})$`));
  });

  longTestAfter(1, ['later', 'spin'])('in a function that never yields (%s), while others go on', async (handler) => {
    const { executor, told, at } = await jobs({ threads: 2 });
    let stuck = true;
    const ended = stuckAt(executor.submit(handler, 0, { id: 'stuck', timeoutMs: 50 })).finally(() => (stuck = false));
    await running(executor, 'stuck');
    let others = 0;
    while (stuck) others += (await executor.submit('echo', 1)) as number;
    expect(others).toBeGreaterThan(10);
    const outer = handler === 'spin' ? '' : `later (${at('spin();')}) → `;
    expect(await ended).toContain(
      `running: ${outer}spin (${at('deeper();')}) → deeper (${at('for (;;)').split(/:\d+$/)[0]}`,
    );
    expect(told.map(({ why }) => why)).toEqual(['timed-out', 'unyielding']);
  });

  test('and says nothing of it once a retry ends well', async () => {
    const { executor, told } = await jobs({ handlers: HANDLERS, retries: 1 });
    expect(await executor.submit('lateTimes', 1, { timeoutMs: 100 })).toBe(2);
    expect(told).toMatchObject([{ why: 'timed-out', stuckAt: expect.any(String) }]);
  });
});

test('a task whose thread is ended as it did not stop when it was cancelled tells where it stood', async () => {
  const { executor, told } = await jobs();
  const ended = stuckAt(executor.submit('spin', 0, { id: 'a' }));
  await running(executor, 'a');
  await executor.cancel('a');
  expect(await ended).toMatch(/^running: spin \(.*\) → deeper \(/);
  expect(told).toMatchObject([{ why: 'unyielding', tasks: ['a'] }]);
});

describe('a task past stallAfter', () => {
  /** Where this task stands, once it is told. */
  async function standsAt({ executor, told }: Awaited<ReturnType<typeof jobs>>, handler: string): Promise<string> {
    const ended = endOf(executor.submit(handler, 60_000, { id: handler }));
    const stalled = await waitFor('it to be told of', () => told.find(({ tasks }) => tasks.includes(handler)), LONG_MS);
    await executor.stop({ force: true });
    await ended;
    return stalled.stuckAt;
  }

  test('tells where it stands; the chain ends with what it waits for', async () => {
    const all = await jobs({ stallAfter: 100 });
    const expected = `waiting: work (${all.at('await inner(ms')}) → inner (${all.at('await sleep(ms, u')}) → then ▸ timer, due in`;
    expect(await standsAt(all, 'work')).toContain(expected);
  });

  test('on a promise that nothing can settle any more, which V8 collects with all that awaits it', async () => {
    const all = await jobs({ stallAfter: 100 });
    const written = all.at('export async function never').split(/:\d+$/)[0];
    const text = await standsAt(all, 'never');
    expect(text).toContain(`waiting: never (written at ${written}`);
    expect(text).toMatch(/ → promise [^→]*$/);
  });

  test('on several things side by side', async () => {
    const all = await jobs({ stallAfter: 100 });
    const text = await standsAt(all, 'many');
    expect(text).toMatch(`waiting: many (${all.at('await Promise.all')}) → [`);
    expect(text).toMatch(/Promise\.all ▸ inner ×2 \(.*\) → then ▸ timer, due in .* ×2/);
    expect(text).toMatch(/ \| Promise\.all ▸ promise/);
  });

  test('is told of once, and tells where it stood if it ends badly; not if it ends well', async () => {
    const { executor, told } = await jobs({ stallAfter: 100, concurrency: 2 });
    const open = join(tempDir(), 'open');
    const long = executor.submit('until', open, { id: 'long' });
    const fails = stuckAt(executor.submit('failAfter', open, { id: 'fails' }));
    await waitFor('both to be told of', () => told.flatMap(({ tasks }) => tasks).length === 2, LONG_MS);
    writeFileSync(open, '');
    // Most of the time it waits for half a second; on a machine with too much to do, nobody can see where.
    expect(await fails).toMatch(/failAfter \(|until \(|^what it awaits is not known: to walk through its heap/);
    await long;
    expect(await executor.outcome('long')).not.toHaveProperty('error');
    expect(told.map(({ why }) => why)).toEqual(['stalled', 'stalled']);
    expect(told.map(({ tasks }) => tasks).toSorted()).toEqual([['fails'], ['long']]);
  });

  test('with hundreds like it on its thread is told of with them', async () => {
    const { executor, told } = await jobs({ stallAfter: 1_000, concurrency: 300 });
    const all = Array.from({ length: 300 }, () => endOf(executor.submit('work', 60_000)));
    await waitFor('all to be told of', () => told.flatMap(({ tasks }) => tasks).length === 300, LONG_MS);
    expect(new Set(told.flatMap(({ tasks }) => tasks)).size).toBe(300);
    // Those that were told of at once stand at the same place.
    expect(told.length).toBeLessThan(10);
    // A machine may be so busy that the thread would stand for longer than it is allowed to: then that is said.
    expect(told[0]!.stuckAt).toMatch(
      /^(waiting: work \(.*\) → inner \(.*\) → then ▸ timer, due in|what it awaits is not known: .* and 4s are allowed)/,
    );
    await executor.stop({ force: true });
    await Promise.all(all);
  });

  longTest('in a heap that is too large to be walked through says so', async () => {
    const { executor, told } = await jobs({ stallAfter: 100 });
    await executor.submit('grow', 0);
    executor.submit('work', 60_000, { id: 'large' }).catch(() => {});
    // To fill the heap may take longer than that, too.
    const large = await waitFor('it to be told of', () => told.find(({ tasks }) => tasks[0] === 'large'), LONG_MS);
    expect(large.stuckAt).toMatch(/^what it awaits is not known: .* and 4s are allowed/);
  });
});

test('a run tells where its tasks stand in its log, in its summary, and in the outcomes', async () => {
  const { write, runtime } = place();
  write('jobs.mjs', JOBS);
  write('tasks.ndjson', '{"id":"a","handler":"work","input":60000,"timeout":"1s"}\n');
  const { stderr, exitCode } = await runtime(['run', 'jobs.mjs', '--tasks', 'tasks.ndjson', '--threads', '1']);
  expect(exitCode).toBe(3);
  const warnings = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, string>);
  const [, said, told] = /^(.*?); (.*)$/.exec(warnings[0]!['msg']!)!;
  expect([warnings.length, warnings[0]!['task'], said]).toEqual([1, 'a', 'timed out after 1s']);
  expect(told).toMatch(seenInTime('work', 'inner'));
  expect(stderr).toMatch(/^ {2}timed-out a: .*\n {4}(waiting: work \(|what it awaits is|not known)/m);
  const { stdout } = await runtime(['results', 'jobs']);
  expect((JSON.parse(stdout) as { error: { stuckAt: string } }).error.stuckAt).toBe(told);
});

test('a timer of a thread that was made late is due when it is due', async () => {
  await waitFor('this process to be of some age', () => performance.now() > 2_000);
  const worker = new Worker(
    `require('node:timers/promises').setTimeout(60_000).then(() => {});
     (async function waits() { await require('node:timers/promises').setTimeout(60_000); })();
     require('node:worker_threads').parentPort.postMessage('waits');`,
    { eval: true },
  );
  onTestFinished(async () => void (await worker.terminate()));
  await new Promise((resolve) => worker.once('message', resolve));
  const begin = performance.now();
  const { threads } = await inspectSelf({ threads: [worker.threadId], maxPauseMs: 60_000 });
  const passed = performance.now() - begin;
  const due = threads[0]!.awaits.find(({ name }) => name === 'waits')!.leaves[0]!.dueInMs!;
  expect(due).toBeGreaterThan(60_000 - passed - 500);
  expect(due).toBeLessThan(60_000 + 500);
});
