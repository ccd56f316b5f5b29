/**
 * A model of what becomes of tasks, held against real threads: whatever tasks
 * of all kinds are mixed, in whatever batches and company, each gets exactly
 * one outcome, and it is that of its kind.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createExecutor, type Executor, type OutcomeState, type TaskOutcome } from '../../../../dist/index.js';
import { HoldfastError } from '../../../../dist/base/errors.js';
import { Dispatcher, type DispatcherSettings } from '../../../../dist/runtime/pool/dispatcher.js';
import type { PoolThread } from '../../../../dist/runtime/pool/thread/pool-thread.js';
import type { StoreTraits, TaskQueue } from '../../../../dist/runtime/queue/contract.js';
import { openMemoryQueue } from '../../../../dist/runtime/queue/memory/memory-queue.js';
import { now } from '../../../../dist/runtime/thread/board.js';
import type { NewTask } from '../../../../dist/runtime/task/task.js';
import { endOf, HANDLERS } from '../../../support/executors.js';
import { deferred } from '../../../support/deferred.js';
import { aTask } from '../../../support/queue-tasks.js';
import { reaper } from '../../../support/reaper.js';
import { runs } from '../../../support/runs.js';
import { tempDir } from '../../../support/temp-dir.js';
import { waitFor } from '../../../support/wait-for.js';

interface Kind {
  handler: string;
  input: unknown;
  /** What `submit` gives, or the state in which it rejects. */
  end: unknown;
  state: OutcomeState;
  attempts: number;
  timeoutMs?: number;
  retries?: number;
}

const RETRIES = 2;
const MAX_CRASHES = 2;

const KINDS: Record<string, Kind> = {
  ok: { handler: 'echo', input: 'ok', end: 'ok', state: 'done', attempts: 1 },
  cheap: { handler: 'hold', input: 'no', end: 'no', state: 'done', attempts: 1 },
  bytes: { handler: 'echo', input: new Map([[1, 2]]), end: new Map([[1, 2]]), state: 'done', attempts: 1 },
  async: { handler: 'echoLater', input: 7, end: 7, state: 'done', attempts: 1 },
  slow: { handler: 'wait', input: 30, end: 30, state: 'done', attempts: 1 },
  busy: { handler: 'work', input: 25, end: 25, state: 'done', attempts: 1 },
  throws: { handler: 'fail', input: 'no', end: 'failed', state: 'failed', attempts: RETRIES + 1 },
  rejects: { handler: 'rejectEvil', input: 'revoked proxy', end: 'failed', state: 'failed', attempts: 1, retries: 0 },
  odd: { handler: 'returnOdd', input: 'function', end: 'failed', state: 'failed', attempts: 1, retries: 0 },
  recovers: { handler: 'failTimes', input: 1, end: 2, state: 'done', attempts: 2 },
  forgets: { handler: 'forgetAwait', input: 3, end: 'done', state: 'done', attempts: 1 },
  exits: { handler: 'exit', input: 1, end: 'crashed', state: 'crashed', attempts: 0 },
  bursts: { handler: 'throwOutside', input: 'no', end: 'crashed', state: 'crashed', attempts: 0 },
  spins: { handler: 'spin', input: 0, end: 'timed-out', state: 'timed-out', attempts: 1, retries: 0, timeoutMs: 60 },
  deaf: { handler: 'deaf', input: 0, end: 'timed-out', state: 'timed-out', attempts: 1, retries: 0, timeoutMs: 60 },
  hears: {
    handler: 'untilAborted',
    input: 0,
    end: 'timed-out',
    state: 'timed-out',
    attempts: 1,
    retries: 0,
    timeoutMs: 60,
  },
};

/** Rare: each costs its threads. */
const DEADLY = ['exits', 'bursts', 'spins', 'deaf', 'hears'];
const HARMLESS = Object.keys(KINDS).filter((name) => !DEADLY.includes(name) && name !== 'forgets');

const mixes = fc.record({
  tasks: fc
    .tuple(
      fc.array(fc.constantFrom(...HARMLESS), { minLength: 5, maxLength: 60 }),
      fc.array(fc.constantFrom(...DEADLY), { maxLength: 2 }),
      fc.array(fc.constant('forgets'), { maxLength: 2 }),
    )
    .chain((parts) => fc.shuffledSubarray(parts.flat(), { minLength: parts.flat().length })),
  threads: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.constantFrom(1, 1, 2, 5),
  /** Cheap tasks that ran before: so many, that batches have grown. */
  warmUp: fc.constantFrom(0, 500),
  interference: fc.constantFrom('none', 'pauses', 'scales', 'recycles'),
});

/** What a caller may do beside it that must change nothing. */
async function interfere(executor: Executor, how: string, over: () => boolean): Promise<void> {
  for (let turn = 0; !over(); turn++) {
    if (how === 'pauses') {
      executor.pause();
      await new Promise((resolve) => setImmediate(resolve));
      executor.resume();
    } else if (how === 'scales') await executor.scale(1 + (turn % 3));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('each task gets exactly one outcome, and it is that of its kind; the counts agree', async () => {
  await fc.assert(
    fc.asyncProperty(mixes, async ({ tasks, threads, concurrency, warmUp, interference }) => {
      const executor = await createExecutor({
        runId: 'run-1',
        handlers: HANDLERS,
        dir: tempDir(),
        durable: false,
        threads,
        concurrency,
        retries: RETRIES,
        maxCrashes: MAX_CRASHES,
        grace: 60,
        backoff: { base: 1, max: 3 },
        ...(interference === 'recycles' && { recycleAfterTasks: 4 }),
      });
      try {
        await Promise.all(Array.from({ length: warmUp }, () => executor.submit('hold', 'no')));
        const outcomes = new Map<string, TaskOutcome[]>();
        const ordinals: number[] = [];
        executor.on('outcome', (outcome, ordinal) => {
          outcomes.set(outcome.id, [...(outcomes.get(outcome.id) ?? []), outcome]);
          ordinals.push(ordinal);
        });
        let over = false;
        const interfering = interfere(executor, interference, () => over);
        const ends = tasks.map((name, index) => {
          const { handler, input, timeoutMs, retries } = KINDS[name]!;
          const options = {
            id: `${name}-${index}`,
            ...(timeoutMs && { timeoutMs }),
            ...(retries !== undefined && { retries }),
          };
          return endOf(executor.submit(handler, input, options));
        });
        await executor.idle();
        over = true;
        await interfering;

        expect(await Promise.all(ends)).toEqual(tasks.map((name) => KINDS[name]!.end));
        expect(outcomes.size).toBe(tasks.length);
        const expected: Partial<Record<OutcomeState, number>> = { done: warmUp };
        // What a forgotten promise takes down on its way is charged at most one crash less than would condemn it.
        const bombs = tasks.includes('forgets');
        tasks.forEach((name, index) => {
          const { state, attempts } = KINDS[name]!;
          const told = outcomes.get(`${name}-${index}`)!;
          expect(told).toHaveLength(1);
          expect(told[0]).toMatchObject({ state, attempts });
          if (state === 'crashed') expect(told[0]!.crashes).toBe(MAX_CRASHES);
          else if (!bombs) expect(told[0]!.crashes).toBe(0);
          else expect(told[0]!.crashes).toBeLessThan(MAX_CRASHES);
          expected[state] = (expected[state] ?? 0) + 1;
        });
        expect(await executor.counts()).toMatchObject({ ...expected, queued: 0, delayed: 0, running: 0 });
        expect(new Set(ordinals).size).toBe(ordinals.length);
        expect(ordinals).toEqual(ordinals.toSorted((a, b) => a - b));
        expect((await executor.status()).statistics.settled).toBe(warmUp + tasks.length);
      } finally {
        await executor.stop({ force: true });
      }
    }),
    { numRuns: runs(1), endOnFailure: true },
  );
}, 600_000);

const SETTINGS: DispatcherSettings = {
  module: pathToFileURL(HANDLERS).href,
  threads: 2,
  lanes: 1,
  captureOutput: false,
  reaper: reaper(),
  memory: undefined,
  recycleAfterTasks: undefined,
  recycleAboveMemory: undefined,
  memoryTotal: undefined,
  retries: 1,
  backoffBase: 1,
  backoffMax: 1,
  maxCrashes: 2,
  timeout: undefined,
  grace: 100,
  rate: undefined,
  delayMs: 0,
  stallAfter: 60_000,
  look: () => Promise.reject(new Error('nobody is stuck')),
  now,
};

/** A dispatcher of real threads on a queue in memory, of which calls may be replaced; ends with the test. */
async function dispatcherOn(replace: (queue: TaskQueue) => Partial<TaskQueue> = () => ({})) {
  const dispatcher = new Dispatcher(SETTINGS);
  onTestFinished(() => dispatcher.end());
  const queue = openMemoryQueue();
  Object.assign(queue, replace(queue));
  const broken: Error[] = [];
  dispatcher.on('broken', (error) => broken.push(error));
  await dispatcher.pool.start();
  await waitFor('all threads', () => !dispatcher.pool.loading);
  return { dispatcher, queue, broken };
}

const TROUBLE = new HoldfastError('ERR_QUEUE_IO', 'trouble');
const inTrouble = () => Promise.reject(TROUBLE);

test.each([-1, 1])(
  'a clock that is set by %i days while a task waits to be tried again does not delay it',
  async (days) => {
    onTestFinished(() => void vi.restoreAllMocks());
    const { dispatcher, queue } = await dispatcherOn();
    const real = Date.now.bind(Date);
    dispatcher.on('settled', (_, [settlement]) => {
      if (settlement!.kind === 'retry') vi.spyOn(Date, 'now').mockImplementation(() => real() + days * 86_400_000);
    });
    await queue.add([aTask({ id: 'a', handler: 'fail', input: '1', retries: 3 })]);
    dispatcher.open(queue, 0);
    await waitFor('its outcome', async () => (await queue.outcome('a'))?.attempts === 4);
  },
);

describe('a queue that fails', () => {
  test.each<[call: keyof TaskQueue, task: Partial<NewTask>]>([
    ['claim', { handler: 'echo' }],
    ['settle', { handler: 'echo' }],
    ['claimSuspect', { handler: 'echo' }],
    ['nextDue', { handler: 'fail' }],
  ])('in `%s` breaks the dispatcher once: it claims no more, and comes to rest', async (call, task) => {
    const { dispatcher, queue, broken } = await dispatcherOn(() => ({ [call]: inTrouble }));
    await queue.add([aTask({ ...task, input: '1' }), aTask({ ...task, input: '2' })]);
    dispatcher.open(queue, call === 'claimSuspect' ? 1 : 0);
    await waitFor('it to break', () => broken.length > 0 && dispatcher.idle);
    const claim = vi.spyOn(queue, 'claim');
    await queue.add([aTask({ ...task, input: '3' })]);
    expect(claim).not.toHaveBeenCalled();
    expect(broken).toEqual([TROUBLE]);
  });
});

describe('a queue that refuses what became of a task', () => {
  /** A dispatcher under which one of two tasks is taken away before both are settled. */
  async function robbed(traits: Partial<StoreTraits>) {
    const { dispatcher, queue, broken } = await dispatcherOn((of) => {
      const { settle } = of;
      return {
        traits: { ...of.traits, ...traits },
        settle: async (settlements) => {
          const refused = settlements.filter(({ claim }) => claim.seq === 1);
          const taken = settlements.filter(({ claim }) => claim.seq !== 1);
          return { ...(await settle.call(of, taken)), refused };
        },
      };
    });
    const settled: string[] = [];
    dispatcher.on('settled', (tasks, settlements, ordinals) => {
      settled.push(...tasks.map(({ id }, index) => `${id} ${settlements[index]!.kind} ${ordinals[index]}`));
    });
    await queue.add(['a', 'b'].map((id) => aTask({ id, handler: 'echo', input: '1' })));
    dispatcher.open(queue, 0);
    await waitFor('both to have ended', async () => (await queue.outcome('b')) !== undefined && dispatcher.idle);
    expect(settled).toEqual(['b outcome 1']);
    return { dispatcher, queue, broken };
  }

  test('and is its alone, breaks the dispatcher; the others are recorded and told', async () => {
    const { broken } = await robbed({});
    expect(broken).toMatchObject([{ code: 'ERR_STALE_EXECUTOR', message: expect.stringContaining('task #1 ') }]);
  });

  test('and is shared with other hosts, has given it to somebody else: all goes on', async () => {
    const { queue, broken } = await robbed({ shared: true });
    expect(broken).toEqual([]);
    await queue.add([aTask({ id: 'c', handler: 'echo', input: '1' })]);
    await waitFor('the next', async () => (await queue.outcome('c'))?.state === 'done');
  });
});

describe('closing', () => {
  test('while tasks are being claimed, gives them back, and reopening goes on with them', async () => {
    const gate = deferred();
    const { dispatcher, queue } = await dispatcherOn((of) => {
      const { claim } = of;
      return { claim: (...of2) => gate.promise.then(() => claim.apply(of, of2)) };
    });
    await queue.add([aTask({ id: 'a', handler: 'echo', input: '1' })]);
    dispatcher.open(queue, 0);
    const closing = dispatcher.close();
    gate.resolve();
    await closing;
    await waitFor('it to be given back', async () => dispatcher.idle && (await queue.counts()).queued === 1);
    dispatcher.reopen();
    await waitFor('its outcome', async () => (await queue.outcome('a'))?.state === 'done');
  });

  test('while a suspect is being claimed, adjourns its trial: it is still a suspect, and still tried alone', async () => {
    const gate = deferred();
    let asked = false;
    const { dispatcher, queue } = await dispatcherOn((of) => {
      const { claimSuspect } = of;
      return { claimSuspect: () => ((asked = true), gate.promise.then(() => claimSuspect.call(of))) };
    });
    await queue.add([aTask({ id: 'a', handler: 'echo', input: '1' })]);
    const [task] = await queue.claim(1, Date.now());
    await queue.settle([{ kind: 'suspect', claim: task! }]);
    dispatcher.open(queue, 1);
    await waitFor('the claim', () => asked);
    const closing = dispatcher.close();
    gate.resolve();
    await closing;
    await waitFor('it to be given back', async () => dispatcher.idle && (await queue.suspects()) === 1);
    expect(await queue.counts()).toMatchObject({ queued: 1, running: 0 });
    dispatcher.reopen();
    await waitFor('its outcome', async () => (await queue.outcome('a'))?.state === 'done');
    // And that was the last one: others run again.
    await queue.add([aTask({ id: 'b', handler: 'echo', input: '1' })]);
    await waitFor('the next', async () => (await queue.outcome('b'))?.state === 'done');
  });

  test('when a suspect was sent to a thread that had no time to start it, it stays a suspect', async () => {
    const { dispatcher, queue } = await dispatcherOn();
    await queue.add([aTask({ id: 'a', handler: 'untilFile', input: '"/nowhere"' })]);
    const [task] = await queue.claim(1, Date.now());
    await queue.settle([{ kind: 'suspect', claim: task! }]);
    const sent = new Promise<PoolThread>((resolve) => {
      for (const thread of dispatcher.pool.threads) {
        const { run } = thread;
        // The thread itself never hears of it.
        thread.run = (lane, tasks) => {
          thread.batches[lane] = { lane, tasks, reported: 0, size: tasks.length };
          thread.board.reset(lane);
          thread.run = run;
          resolve(thread);
        };
      }
    });
    dispatcher.open(queue, 1);
    const thread = await sent;
    // More to do does not take it back: it is to be tried, and alone.
    await queue.add([aTask({ handler: 'echo', input: '1' })]);
    expect(thread.batches[0]!.size).toBe(1);
    expect(dispatcher.vitalSigns.inFlight()).toEqual([]);
    await dispatcher.close();
    expect(await queue.suspects()).toBe(1);
    expect(await queue.counts()).toMatchObject({ queued: 2, running: 0 });
  });
});

describe('a store that outlives the process, and takes its time to write', () => {
  const slowly = (of: TaskQueue): Partial<TaskQueue> => {
    const { settle } = of;
    return {
      traits: { ...of.traits, outlivesProcess: true },
      settle: async (settlements) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return settle.call(of, settlements);
      },
    };
  };

  test('is given what was gathered when the dispatcher closes: nothing is running then', async () => {
    const { dispatcher, queue } = await dispatcherOn(slowly);
    await queue.add(Array.from({ length: 60 }, () => aTask({ handler: 'work', input: '2' })));
    const some = new Promise<void>((resolve) => {
      let settled = 0;
      dispatcher.on('settled', (tasks) => (settled += tasks.length) > 20 && resolve());
    });
    dispatcher.open(queue, 0);
    await some;
    await dispatcher.close();
    await waitFor('it to come to rest', () => dispatcher.idle);
    const { queued, running } = await queue.counts();
    expect([running, queued + (await queue.lastOrdinal())]).toEqual([0, 60]);
  });
});

test('more suspects than there are, are looked for in vain once, and the others run', async () => {
  const { dispatcher, queue } = await dispatcherOn();
  await queue.add([aTask({ id: 'a', handler: 'echo', input: '1' })]);
  dispatcher.open(queue, 3);
  await waitFor('its outcome', async () => (await queue.outcome('a'))?.state === 'done');
});

test('a thread that cannot be replaced before there is a queue breaks the dispatcher as soon as there is one', async () => {
  const path = join(tempDir(), 'gone.mjs');
  writeFileSync(path, 'export const echo = (x) => x;');
  const dispatcher = new Dispatcher({ ...SETTINGS, module: pathToFileURL(path).href, threads: 1 });
  onTestFinished(() => dispatcher.end());
  await dispatcher.pool.start();
  rmSync(path);
  dispatcher.pool.threads[0]!.kill(new Error('a sudden death'));
  await waitFor('its successor to have failed', () => dispatcher.pool.threads.length === 0);
  const broken: Error[] = [];
  dispatcher.on('broken', (error) => broken.push(error));
  const queue = openMemoryQueue();
  await queue.add([aTask({ handler: 'echo', input: '1' })]);
  dispatcher.open(queue, 0);
  expect(broken).toMatchObject([{ code: 'ERR_HANDLER_MODULE', message: expect.stringContaining('no such file') }]);
  expect(await queue.counts()).toMatchObject({ queued: 1, running: 0 });
});
