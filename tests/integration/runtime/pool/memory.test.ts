import { describe, expect, test } from 'vitest';
import { place } from '../../../support/command.js';
import { rejection, startedExecutor } from '../../../support/executors.js';
import { waitFor } from '../../../support/wait-for.js';

/** What a thread may hold: buffers, kept or dropped. */
const HOLDS = `
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

const MB = 2 ** 20;
const kept = [];
export const keep = (mb) => { kept.push(Buffer.alloc(mb * MB, 7)); return threadId; };
export const drop = (mb) => { Buffer.alloc(mb * MB, 7); return threadId; };
export const pile = (mb) => { kept.push(Buffer.alloc(mb * MB, 7)); return process.memoryUsage().external / MB; };
export const where = () => threadId;
export const hold = async (mb) => {
  const held = Buffer.alloc(mb * MB, 7);
  // Longer than any look at it takes: its thread is ended under it.
  for (;;) await sleep(10, held.length);
};

let turned = 0;
export const watch = () => void setImmediate(() => turned++);
export const busy = (ms) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
  return turned;
};
`;

async function holding(options: Parameters<typeof startedExecutor>[0]) {
  const { write } = place();
  const executor = await startedExecutor({ handlers: write('holds.mjs', HOLDS), threads: 1, grace: 1_000, ...options });
  const died: string[] = [];
  executor.on('thread-died', ({ cause }) => died.push(cause.message));
  return { executor, died };
}

test('between tasks that never await, the event loop turns', async () => {
  const { executor } = await holding({});
  await executor.submit('watch', 0);
  const turned = await Promise.all(Array.from({ length: 20 }, () => executor.submit('busy', 5)));
  expect(turned.at(-1)).toBe(1);
});

test('what native code gave to tasks that never await is freed while they run', async () => {
  const { write, runtime } = place();
  const driver = import.meta.resolve('better-sqlite3');
  // Each copy is a buffer of native memory, which a finalizer frees.
  write(
    'codec.mjs',
    `import Database from ${JSON.stringify(driver)};
     const db = new Database(':memory:');
     db.exec('CREATE TABLE bytes (all_of_them BLOB)');
     db.prepare('INSERT INTO bytes VALUES (?)').run(Buffer.alloc(2 ** 20, 7));
     let most = 0;
     export default function codec() {
       db.serialize();
       most = Math.max(most, process.memoryUsage.rss());
       return most;
     }`,
  );
  const lines = Array.from({ length: 1_200 }, (_, n) => `${n}\n`).join('');
  const flags = ['--threads', '1', '--no-durable', '--results', '-', '--no-supervise'];
  const { stdout, exitCode } = await runtime(['run', 'codec.mjs', '--lines', ...flags], { input: lines });
  expect(exitCode).toBe(0);
  const most = stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { result: number }).result);
  // All of them together are 1,200 MB.
  expect(Math.max(...most)).toBeLessThan(600 * 2 ** 20);
});

describe('the limit of a thread counts its external memory', () => {
  test('a task that is above it alone is ended, and `crashed`, with what was counted', async () => {
    const { executor, died } = await holding({ memory: '64MB', maxCrashes: 1 });
    expect(await rejection(executor.submit('hold', 100))).toMatchObject({
      code: 'ERR_TASK_CRASHED',
      message: expect.stringMatching(
        /the thread held .* of heap and 10\d.*MB of external memory, above its limit of 64MB \(ERR_WORKER_OUT_OF_MEMORY\)/,
      ),
    });
    expect(died).toHaveLength(1);
    expect(await executor.submit('where', 0)).toEqual(expect.any(Number));
  });

  test('what ended tasks left there costs the thread, and charges nobody', async () => {
    const { executor, died } = await holding({ memory: '64MB' });
    const ids: string[] = [];
    const kept = () => executor.submit('keep', 30, { id: ids[ids.push(`t${ids.length}`) - 1]! });
    const first = await kept();
    await waitFor('another thread', async () => (await kept()) !== first);
    for (const id of ids) expect(await executor.outcome(id)).toMatchObject({ state: 'done', crashes: 0 });
    expect(died.length).toBeGreaterThan(0);
  });

  test.each([1, 5])('tasks that never await do not outrun it, %i at a time in a thread', async (concurrency) => {
    const { executor, died } = await holding({ memory: '64MB', concurrency });
    const held = await Promise.all(Array.from({ length: 20 }, () => executor.submit('pile', 20)));
    // One task may go beyond it: what it takes is seen when it has ended.
    expect(Math.max(...(held as number[]))).toBeLessThan(64 + 20);
    expect(died.length).toBeGreaterThan(0);
  });

  test('garbage does not count', async () => {
    const { executor, died } = await holding({ memory: '64MB', recycleAboveMemory: '48MB' });
    const threads = await Promise.all(Array.from({ length: 20 }, () => executor.submit('drop', 100)));
    expect([new Set(threads).size, died]).toEqual([1, []]);
  });

  test('so does what a thread is replaced by', async () => {
    const { executor, died } = await holding({ recycleAboveMemory: '48MB' });
    const first = await executor.submit('keep', 10);
    expect(await executor.submit('keep', 60)).toBe(first);
    expect(await executor.submit('where', 0)).not.toBe(first);
    expect(died).toEqual([]);
  });
});

describe('the limit of the process', () => {
  test('replaces threads, and the run goes on', async () => {
    const { write, runtime } = place();
    write('holds.mjs', HOLDS);
    const tasks = Array.from({ length: 8 }, () => '{"input": 150, "handler": "keep"}\n').join('');
    write('tasks.ndjson', tasks);
    const flags = ['--threads', '1', '--memory-total', '450MB', '--json'];
    const { exitCode, stdout, stderr } = await runtime(['run', 'holds.mjs', '--tasks', 'tasks.ndjson', ...flags]);
    expect([exitCode, JSON.parse(stdout).counts.done]).toEqual([0, 8]);
    expect(stderr).toMatch(/the process holds .*MB \(RSS\), above its limit of 450MB/);
  });

  test('ends the run where that does not help, says what was counted, and loses nothing', async () => {
    const { write, runtime } = place();
    write('holds.mjs', HOLDS);
    const run = ['run', 'holds.mjs', '--lines', '--handler', 'where', '--threads', '2', '--json'];
    const { exitCode, stderr } = await runtime([...run, '--memory-total', '16MB'], { input: '1\n2\n' });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /above its limit of 16MB, though all threads were replaced\. Of that, the main thread counts/,
    );
    expect(stderr).toContain('2 fresh threads count');
    const after = await runtime(run, { input: '1\n2\n' });
    expect([after.exitCode, JSON.parse(after.stdout).counts.done]).toEqual([0, 2]);
  });
});
