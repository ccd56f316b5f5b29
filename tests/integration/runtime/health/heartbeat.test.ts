import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Executor } from '../../../../dist/index.js';
import { Heartbeat, type Beat } from '../../../../dist/runtime/health/heartbeat.js';
import { executorOf, place, started } from '../../../support/command.js';
import { endOf, running, startedExecutor } from '../../../support/executors.js';
import { longTest } from '../../../support/long.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/${name}.mjs`, import.meta.url));
const LEFT_BEHIND = fixture('left-behind');

/** What the heartbeat of an executor has told since it was asked for. */
function heart(executor: Executor) {
  const beats: Beat[] = [];
  const missed: { reason: string; missed: number }[] = [];
  const died: string[] = [];
  executor.on('beat', (beat) => beats.push(beat));
  executor.on('beat-missed', (event) => missed.push(event));
  executor.on('thread-died', ({ cause }) => died.push(cause.message));
  return {
    beats,
    missed,
    died,
    /** So many more. */
    more: (count: number) => {
      const had = beats.length;
      return waitFor(`${count} more beats`, () => beats.length >= had + count);
    },
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the heartbeat of an executor', () => {
  test('begins by itself, and proves that every thread turns, however long they have been idle', async () => {
    const executor = await startedExecutor({ threads: 3 });
    const { beats } = heart(executor);
    await waitFor('a beat of three threads', () => beats.at(-1)?.threads.length === 3);
    expect(beats[0]!.count).toBe(1);
    const last = beats.at(-1)!;
    expect(last.threads).toEqual([1, 2, 3]);
    expect((await executor.status()).health).toMatchObject({ healthy: true, lastBeat: last, missedBeats: 0 });
  });

  test('goes on while it is paused, and while it drains', async () => {
    const executor = await startedExecutor();
    const { more, missed } = heart(executor);
    const file = join(tempDir(), 'go');
    const task = executor.submit('untilFile', file, { id: 'a' });
    await running(executor, 'a');
    executor.pause();
    await more(2);
    const drained = executor.drain();
    await more(2);
    writeFileSync(file, '');
    await drained;
    await task;
    expect(missed).toEqual([]);
  });

  test('ends with the executor', async () => {
    const executor = await startedExecutor();
    const { beats, missed, more } = heart(executor);
    await more(1);
    await executor.stop();
    const had = beats.length;
    // Longer than a beat, by the clock of another executor.
    await heart(await startedExecutor()).more(3);
    expect([beats.length, missed]).toEqual([had, []]);
  });

  test('is missed by an idle thread that does not answer, and is back when it does', async () => {
    const executor = await startedExecutor({ handlers: LEFT_BEHIND });
    const { beats, missed, died } = heart(executor);
    const file = join(tempDir(), 'open');
    await waitFor('both threads', () => beats.at(-1)?.threads.length === 2);
    await executor.submit('blockUntil', file);
    await waitFor('a missed beat', () => missed.length > 0);
    expect(missed[0]).toEqual({
      missed: 1,
      reason: expect.stringMatching(/^thread [12] is idle and does not answer$/),
    });
    expect(executor.probe().live).toEqual({ ok: false, why: missed[0]!.reason });
    expect((await executor.status()).health).toMatchObject({ healthy: false, lastError: { source: 'beat' } });
    writeFileSync(file, '');
    await waitFor('a beat of both', () => beats.at(-1)!.count > 1 && executor.probe().live.ok);
    expect((await executor.status()).health).toMatchObject({ healthy: true, lastError: null });
    expect(died).toEqual([]);
  });

  test('is not missed by a task that needs its thread for itself', async () => {
    const executor = await startedExecutor({ threads: 1 });
    const { beats, missed, more } = heart(executor);
    const task = executor.submit('block', 3000, { id: 'a' });
    await running(executor, 'a');
    await more(2);
    expect(beats.at(-1)!.threads).toEqual([]);
    await task;
    expect(missed).toEqual([]);
  });

  test('is missed by one that does so for longer than stallAfter', async () => {
    const executor = await startedExecutor({ threads: 1, stallAfter: 500 });
    const { missed } = heart(executor);
    const task = executor.submit('block', 2500, { id: 'a' });
    await waitFor('a missed beat', () => missed.length > 0);
    expect(missed[0]!.reason).toMatch(/^thread 1 has been silent for [1-3]s$/);
    await task;
    await waitFor('a beat', () => executor.probe().live.ok);
  });

  test('sees on the board of a busy thread that it turns', async () => {
    const executor = await startedExecutor({ threads: 1 });
    const { beats, missed, more } = heart(executor);
    const task = executor.submit('wait', 2500, { id: 'a' });
    await running(executor, 'a');
    await more(2);
    expect(beats.at(-1)!.threads).toEqual([1]);
    await task;
    expect(missed).toEqual([]);
  });

  test('is missed, and counted, when the event loop of the executor stands still', async () => {
    const executor = await startedExecutor();
    const { missed, more } = heart(executor);
    await more(1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3300);
    await more(1);
    expect(missed).toEqual([
      { missed: 2, reason: expect.stringMatching(/^the event loop of the executor stood still/) },
    ]);
    expect((await executor.status()).health).toMatchObject({ healthy: true, missedBeats: 2 });
  });
});

describe('being asked whether it turns', () => {
  test.each([
    ['exit', 3, /exited with code:? 3$/],
    ['fail', 'left behind', /^left behind$/],
  ])(
    'a thread that dies of it (%s) is replaced and told of; that alone is no missed beat',
    async (handler, input, why) => {
      const executor = await startedExecutor({ threads: 1, handlers: LEFT_BEHIND });
      const { beats, missed, died } = heart(executor);
      await executor.submit(handler, input);
      await waitFor('its death', () => died.length > 0);
      expect(died).toEqual([expect.stringMatching(why)]);
      expect((await executor.status()).health.lastError).toMatchObject({ source: 'thread' });
      const had = beats.length;
      await waitFor('a beat of its replacement', () => beats.slice(had).some(({ threads }) => threads.includes(1)));
      expect(missed).toEqual([]);
      expect(await executor.submit('echo', 1)).toBe(1);
    },
  );

  test('a thread is not charged for it: its tasks, its heap and its recycling stay as they were', async () => {
    const executor = await startedExecutor({ threads: 1, recycleAfterTasks: 2 });
    const { more } = heart(executor);
    await executor.submit('echo', 1);
    // When its loop last turned, as the system's clock shows it, is read again each time.
    const thread = async () => ({ ...(await executor.status()).threads[0]!, lastBeat: null });
    await more(1); // a thread takes the size of its heap once it has told what ended
    const before = await thread();
    await more(3);
    expect(await thread()).toEqual(before);
    expect(before.tasksDone).toBe(1);
    await executor.submit('echo', 2);
    await waitFor('another thread', async () => (await executor.status()).threads[0]?.tasksDone === 0);
  });

  test('wakes nothing that a module left behind: an idle executor is not worn down by it', async () => {
    const executor = await startedExecutor({ threads: 1, handlers: fixture('throws-late') });
    const { beats, missed, died, more } = heart(executor);
    await more(3);
    expect(beats.at(-1)!.threads).toEqual([1]);
    expect([missed, died, executor.mode]).toEqual([[], [], 'running']);
  });

  longTest('at any instant disturbs no task: each has one outcome, whatever befalls its thread', async () => {
    // There is no option to beat faster: each start of a heartbeat begins with a beat.
    const starting = vi.spyOn(Heartbeat.prototype, 'start');
    const executor = await startedExecutor({ threads: 2, concurrency: 3, recycleAfterTasks: 7, maxCrashes: 1 });
    const heartbeat = await waitFor('its start', () => starting.mock.contexts[0] as Heartbeat | undefined);
    const { beats, missed } = heart(executor);
    const timer = setInterval(() => {
      heartbeat.stop();
      heartbeat.start();
    }, 1);
    const outcomes = new Map<string, number>();
    executor.on('outcome', ({ id }) => outcomes.set(id, (outcomes.get(id) ?? 0) + 1));
    const ends: Promise<unknown>[] = [];
    const expected: unknown[] = [];
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 40; i++) {
        const [handler, input, end] = (
          [
            ['echo', i, i],
            ['wait', 1, 'waited'],
            ['fail', 'no', 'failed'],
            ['echoLater', i, i],
          ] as const
        )[i % 4]!;
        ends.push(endOf(executor.submit(handler, input, { id: `${round}-${i}` })));
        expected.push(end);
      }
      ends.push(endOf(executor.submit('exit', 1, { id: `${round}-exit` })));
      expected.push('crashed');
      await executor.scale(1 + (round % 4));
      await Promise.all(ends);
    }
    clearInterval(timer);
    const told = await Promise.all(ends);
    const differing = told.flatMap((end, index) =>
      expected[index] === 'waited' || end === expected[index] ? [] : [[index, end, expected[index]]],
    );
    expect(differing).toEqual([]);
    expect(outcomes.size).toBe(expected.length);
    expect([...outcomes.values()].every((count) => count === 1)).toBe(true);
    expect(beats.length).toBeGreaterThan(20);
    expect(missed).toEqual([]);
  });
});

test('a run warns once of a spell of missed beats, and says when they are back', async () => {
  const { start, until } = place();
  const run = start(['run', 'work.mjs', '--lines', '--handler', 'gate'], { input: '1\n' });
  await until('work', (status) => status.state === 'running' && started(status) === 1);
  const executor = executorOf(run.pid!);
  let stderr = '';
  run.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const stopped = performance.now();
  process.kill(executor, 'SIGSTOP');
  await waitFor('some beats to be missed', () => performance.now() - stopped > 3300);
  process.kill(executor, 'SIGCONT');
  await waitFor('them to be back', () => stderr.includes('heartbeat is back'));
  const told = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .map(({ level, msg }) => `${level}: ${msg}`);
  expect(told).toEqual([
    expect.stringMatching(/^warn: heartbeat missed: the event loop of the executor stood still for [234]/),
    expect.stringMatching(/^info: heartbeat is back after [234] missed$/),
  ]);
});
