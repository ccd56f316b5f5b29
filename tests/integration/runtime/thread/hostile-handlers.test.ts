import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { startedExecutor } from '../../../support/executors.js';
import { waitFor } from '../../../support/wait-for.js';
import { deeds } from '../../../fixtures/hostile.mjs';

const HOSTILE = fileURLToPath(new URL('../../../fixtures/hostile.mjs', import.meta.url));

/** Those of which others in the thread may depend. */
const TOLD = deeds.slice(0, deeds.indexOf('process.exit') + 1);

/** What JavaScript itself, and Node, then do otherwise: the tasks that need it fail. */
const OBJECTS_ARE_THENABLE = ['Object.prototype.then'];
const NOTHING_IS_TAKEN_APART = ['Array.prototype[Symbol.iterator]'];

async function hostile(options: Parameters<typeof startedExecutor>[0] = {}) {
  const executor = await startedExecutor({ handlers: HOSTILE, threads: 1, ...options });
  const warnings: string[] = [];
  const died: string[] = [];
  executor.on('warning', ({ message }) => warnings.push(message));
  executor.on('thread-died', ({ cause }) => died.push(cause.message));
  return { executor, warnings, died };
}

describe.each(['harm', 'harmLater'])('a task that lays hands on its thread (%s)', (handler) => {
  test.each(deeds)('harms neither run nor thread: %s', async (deed) => {
    const { executor, warnings, died } = await hostile({ concurrency: 2 });
    const logged: string[] = [];
    executor.on('log', ({ message }) => logged.push(message));
    await executor.submit('echo', 1);
    const given = await executor.submit(handler, deed, { id: 'culprit' });
    // Nothing of ours is there to be found.
    if (deed === 'workerData') expect(given).toEqual([]);
    const value = (n: number) => (OBJECTS_ARE_THENABLE.includes(deed) ? `${n}` : { n, of: [n] });
    const echoes = Array.from({ length: 20 }, (_, n) => executor.submit(n % 2 ? 'echo' : 'echoLater', value(n)));
    expect(await Promise.all(echoes)).toEqual(echoes.map((_, n) => value(n)));
    if (![...NOTHING_IS_TAKEN_APART, ...OBJECTS_ARE_THENABLE].includes(deed)) {
      expect(await executor.submit('echo', new Map([[1, [2]]]))).toEqual(new Map([[1, [2]]]));
      expect(await executor.submit('speak', 7, { id: 'last' })).toEqual(['boolean', 'string', 'last']);
      await waitFor('what it logged', () => logged.includes('spoken'));
    }
    await expect(executor.submit('harm', 'no such deed')).rejects.toMatchObject({ code: 'ERR_TASK_FAILED' });
    expect(died).toEqual([]);
    if (!TOLD.includes(deed)) return;
    await waitFor('a warning', () => warnings.length > 0);
    expect(warnings).toEqual([
      `task culprit (handler ${handler}) replaced ${deed} in thread 1: other tasks there get what it put in its place`,
    ]);
  });
});

test('messages to parentPort are no messages of ours, whatever they look like; the task that posts is named, once', async () => {
  const { executor, warnings, died } = await hostile();
  const report = {
    lane: 0,
    batch: 1,
    first: 0,
    ends: [0],
    payloads: ['1'],
    startedAt: [0],
    durationMs: [0],
    last: true,
  };
  const forged = [
    ...[null, 'x', 7, [], { type: 'report' }, { type: 'report', ...report }, { type: 'torn-down' }, { type: 'pong' }],
    ...[{ holdfast: { type: 'report' } }, { holdfast: { type: 'report', ...report } }, { _WORKER_READY: true }],
  ];
  expect(await executor.submit('post', forged, { id: 'poster' })).toBe(forged.length);
  expect(await executor.submit('post', forged)).toBe(forged.length);
  expect(await executor.submit('echo', 1)).toBe(1);
  await waitFor('the warning', () => warnings.length > 0);
  expect(warnings).toEqual([
    expect.stringContaining('task poster (handler post) posted a message to the parentPort of thread 1'),
  ]);
  await executor.submit('postPast', { holdfast: { type: 'report' } });
  await waitFor('another warning', () => warnings.length > 1);
  expect(warnings[1]).toContain('something posted a message to the parentPort of thread 1');
  expect(await executor.submit('echo', 2)).toBe(2);
  expect(died).toEqual([]);
});
