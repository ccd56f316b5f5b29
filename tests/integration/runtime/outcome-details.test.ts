/** What an outcome tells besides how it ended: its input, its earlier attempts, the text it came of. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createExecutor, type TaskOutcome } from '../../../dist/index.js';
import { lines, parsed, place } from '../../support/command.js';
import { startedExecutor } from '../../support/executors.js';

const VERSION = expect.stringMatching(/^[0-9a-f]{12}$/) as string;

describe('the input', () => {
  test('of lines is there in all results, of others where it is asked for', async () => {
    const { write, runtime } = place();
    await runtime(['run', 'work.mjs', '--lines', '--results', 'out.ndjson'], { input: lines(2) });
    const inputs = async (...args: string[]) =>
      parsed((await runtime(['results', ...args])).stdout)
        .map(({ input }) => input)
        .sort();
    expect(await inputs('work')).toEqual(['1', '2']);
    write('tasks.ndjson', '{"id":"a","input":{"n":[1]}}\n');
    await runtime(['run', 'work.mjs', '--tasks', 'tasks.ndjson', '--run-id', 'other']);
    expect(await inputs('other')).toEqual([undefined]);
    expect(await inputs('other', '--with-input')).toEqual([{ n: [1] }]);
  });

  test('is given by the API on request, whatever it is', async () => {
    const executor = await startedExecutor();
    await executor.submit('echo', new Map([[1, 2n]]), { id: 'a' });
    expect(await executor.outcome('a')).not.toHaveProperty('input');
    expect((await executor.outcome('a', { withInput: true }))!.input).toEqual(new Map([[1, 2n]]));
    for await (const { input } of executor.outcomes({ withInput: true })) expect(input).toEqual(new Map([[1, 2n]]));
  });
});

test('outcomes that are not done can be had together, and the summary names the command that does', async () => {
  const { write, runtime } = place();
  write(
    'job.mjs',
    `export default async (n, { signal }) => {
      if (n === 9) await new Promise((_, reject) => signal.addEventListener('abort', reject));
      if (n > 1) throw new Error('no ' + n);
      return n;
    };`,
  );
  const tasks = [1, 2, 3, 4, 5, 6, 7, 9].map((n) => `{"id":"t${n}","input":${n},"timeout":"200ms"}\n`);
  write('tasks.ndjson', tasks.join(''));
  const { exitCode, stderr } = await runtime(['run', 'job.mjs', '--tasks', 'tasks.ndjson', '--concurrency', '8']);
  expect(exitCode).toBe(3);
  const [, hint] = /all that did not end done: runtime (.*)\n/.exec(stderr)!;
  const { stdout } = await runtime(hint!.split(' '));
  const ids = parsed(stdout).map(({ id }) => id);
  expect(ids.sort()).toEqual(['t2', 't3', 't4', 't5', 't6', 't7', 't9']);
});

describe('earlier attempts', () => {
  const expected = [1, 2].map((attempt) => ({
    attempt,
    state: 'failed',
    error: { name: 'Error', message: expect.any(String) as string },
    durationMs: expect.any(Number) as number,
    thread: expect.any(Number) as number,
  }));

  test.each([true, false])('are told by the outcome, the event and the error (durable: %s)', async (durable) => {
    const executor = await startedExecutor({ durable, retries: 2, backoff: { base: 0 } });
    const told: TaskOutcome[] = [];
    executor.on('outcome', (outcome) => told.push(outcome));
    await executor.submit('failTimes', 2, { id: 'a' });
    await executor.submit('echo', 1, { id: 'b' });
    expect(await executor.outcome('a')).toMatchObject({ state: 'done', earlierAttempts: expected, version: VERSION });
    expect(told[0]).toMatchObject({ earlierAttempts: expected, version: VERSION });
    expect(told[1]).not.toHaveProperty('earlierAttempts');
    const failed = await executor.submit('failTimes', 9, { id: 'c' }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ outcome: { earlierAttempts: expected, version: VERSION } });
  });

  test('stand in the results with their times', async () => {
    const { runtime } = place();
    await runtime(['run', 'work.mjs', '--lines', '--handler', 'flaky', '--retries', '1'], { input: '1\n' });
    const [outcome] = parsed((await runtime(['results', 'work'])).stdout);
    expect(outcome).toMatchObject({
      state: 'failed',
      attempts: 2,
      earlierAttempts: [{ attempt: 1, state: 'failed', error: { message: 'not yet' }, startedAt: expect.any(String) }],
      version: VERSION,
    });
  });
});

test('an outcome that no thread came to has no version', async () => {
  const executor = await createExecutor({
    runId: 'r',
    handlers: new URL('../../fixtures/handlers.mjs', import.meta.url),
    durable: false,
    threads: 1,
  });
  onTestFinished(() => executor.stop());
  executor.pause();
  const submitted = executor.submit('echo', 1, { id: 'a' }).catch(() => {});
  await executor.cancel('a');
  await submitted;
  expect(await executor.outcome('a')).not.toHaveProperty('version');
});
