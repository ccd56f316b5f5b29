import { describe, expect, expectTypeOf, test } from 'vitest';
import { InvalidInputError, type EnqueuedTask, type Executor } from '../../../dist/index.js';
import { openSqliteQueueReader } from '../../../dist/runtime/queue/sqlite/reader.js';
import { rejection, startedExecutor } from '../../support/executors.js';
import { program } from '../../support/program.js';
import { tempDir } from '../../support/temp-dir.js';

describe.each([true, false])('enqueue, durable: %s', (durable) => {
  test('takes values of any kind that can be cloned, and the handler gets them', async () => {
    const executor = await startedExecutor({ durable });
    const inputs = [{ a: [null] }, 'text', 7, new Map([[1, new Date(0)]]), undefined];
    const added = await executor.enqueue(inputs.map((input, n) => ({ id: `t${n}`, handler: 'echo', input })));
    expect(added).toEqual(inputs.map((_, n) => ({ id: `t${n}`, status: 'added' })));
    await executor.idle();
    for (const [n, input] of inputs.entries()) {
      const outcome = await executor.outcome(`t${n}`);
      expect(outcome).toMatchObject({ state: 'done' });
      expect(outcome!.result).toEqual(input);
    }
  });

  test('tells what became of each: added, there already, or an id that is taken', async () => {
    const executor = await startedExecutor({ durable });
    executor.pause();
    const task = { id: 'a', handler: 'echo', input: { n: 1 }, priority: 3, timeoutMs: 1000, retries: 2 };
    const other = { ...task, input: { n: 2 } };
    const added = await executor.enqueue([task, task, other, { handler: 'echo', input: 1 }]);
    expect(added.map(({ status }) => status)).toEqual(['added', 'duplicate', 'conflict', 'added']);
    expect(await executor.counts()).toMatchObject({ queued: 2 });
  });

  test('tells all that is wrong with all tasks of a call, and adds none of them', async () => {
    const executor = await startedExecutor({ durable });
    const given: unknown[] = [
      { id: 'good', handler: 'echo', input: 1 },
      { handler: 'ehco', input: 1 },
      { handler: 'echo', input: 1, retires: 2, priority: 1.5, timeoutMs: 0 },
      { handler: 'echo', input: () => 1 },
      { input: 1, id: '#1' },
      'echo',
      { handler: 'echo', input: 1, id: 'half \ud800' },
      { handler: 'echo', input: 1, signal: new AbortController().signal },
    ];
    const error = await rejection(executor.enqueue(given as Parameters<Executor['enqueue']>[0]));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ code: 'ERR_INVALID_TASK' });
    const faults = error['faults'] as { where: string; problem: string }[];
    expect(faults.map(({ where, problem }) => `${where} ${problem}`)).toEqual([
      expect.stringMatching(/^tasks\[1\]\.handler must be one of .*, got "ehco"; did you mean "echo"\?$/),
      'tasks[2].retires is unknown; did you mean "retries"?',
      'tasks[2].priority must be a whole number, got 1.5',
      'tasks[2].timeoutMs must be a number above 0, got 0',
      expect.stringMatching(/^tasks\[3\]\.input this value cannot travel between threads: /),
      'tasks[4].handler is missing',
      'tasks[4].id starts with "#", as only the ids that the queue gives do',
      'tasks[5] must be an object, got "echo"',
      expect.stringMatching(/^tasks\[6\]\.id holds half of a surrogate pair/),
      'tasks[7].signal is unknown',
    ]);
    expect(await executor.counts()).toMatchObject({ queued: 0, running: 0, done: 0 });
    expect(await executor.outcome('good')).toBeUndefined();
  });

  test('tells some of many faults, and how many more there are', async () => {
    const executor = await startedExecutor({ durable });
    const error = await rejection(executor.enqueue(Array.from({ length: 30 }, () => ({ handler: 'no', input: 1 }))));
    expect((error['faults'] as unknown[]).slice(19)).toEqual([
      { where: 'tasks[19].handler', problem: expect.any(String) as string },
      { where: 'and 10 more', problem: 'the next is tasks[20].handler' },
    ]);
  });

  test.each([undefined, null, 'echo', { handler: 'echo', input: 1 }])('refuses what is no array: %j', async (given) => {
    const executor = await startedExecutor({ durable });
    const error = await rejection(executor.enqueue(given as unknown as []));
    expect(error).toMatchObject({ code: 'ERR_INVALID_TASK', faults: [{ where: 'tasks' }] });
  });
});

test('what was enqueued is on disk when that resolves', async () => {
  const executor = await startedExecutor({ dir: tempDir(), durable: true });
  executor.pause();
  await executor.enqueue([{ handler: 'echo', input: { a: 1 } }]);
  const reader = await openSqliteQueueReader(`${executor.runDir}/queue.db`);
  expect(await reader!.counts()).toMatchObject({ queued: 1 });
  await reader!.close();
});

test('a misspelt handler ends a program with that error, and a plain object as input with its outcome', async () => {
  const { said, code, stderr } = await program(`
    const executor = await open({ durable: false });
    executor.on('outcome', ({ state, result }) => say({ state, result }));
    await executor.enqueue([{ handler: 'echo', input: { a: 1 } }]);
    await executor.submit('echo', 2);
    await executor.idle();
    await executor.enqueue([{ handler: 'ehco', input: { a: 1 } }]);
  `);
  expect(said).toHaveLength(2);
  expect(said).toEqual(
    expect.arrayContaining([
      { state: 'done', result: { a: 1 } },
      { state: 'done', result: 2 },
    ]),
  );
  expect(code).toBe(1);
  expect(stderr).toContain('did you mean "echo"?');
});

test('what is enqueued is typed by the module', () => {
  type Typed = Executor<typeof import('../../fixtures/typed-handlers.js')>;
  const typed = (executor: Typed) => {
    expectTypeOf(executor.enqueue([{ handler: 'double', input: 1 }])).toEqualTypeOf<Promise<EnqueuedTask[]>>();
    void executor.enqueue([
      { handler: 'double', input: 1, id: 'a' },
      { handler: 'greet', input: { name: 'you' }, retries: 1 },
    ]);
    // @ts-expect-error a text is no number
    void executor.enqueue([{ handler: 'double', input: '1' }]);
    // @ts-expect-error there is no such handler
    void executor.enqueue([{ handler: 'triple', input: 1 }]);
  };
  expect(typed).toBeTypeOf('function');
});
