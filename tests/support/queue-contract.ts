/** What holds for every store of tasks. Each store runs this body from a test file of its own. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type {
  ClaimedTask,
  OutcomeChoice,
  OutcomePage,
  Settled,
  TaskQueue,
  Work,
} from '../../dist/runtime/queue/contract.js';
import type { NewTask, OutcomeState } from '../../dist/runtime/task/task.js';
import { all, aTask, done, retry, tasks } from './queue-tasks.js';

export interface Store {
  name: string;
  /** Opens a new, empty queue. */
  open: () => Promise<TaskQueue>;
  /** Why the outcomes of tasks without an id are not kept, if they are not. */
  forgetsUnnamed?: string;
}

const RUN = { module: '/a', realModule: '/a', handler: undefined, source: undefined, version: undefined };

const EMPTY = {
  queued: 0,
  delayed: 0,
  running: 0,
  done: 0,
  failed: 0,
  crashed: 0,
  'timed-out': 0,
  cancelled: 0,
};

export function describeQueueContract(store: Store): void {
  const open = async (): Promise<TaskQueue> => {
    const queue = await store.open();
    onTestFinished(() => queue.close());
    return queue;
  };
  const testUnnamed = (title: string, body: () => Promise<void>): void => {
    if (store.forgetsUnnamed === undefined) test(title, body);
    else test.skip(`${title} (skipped: ${store.forgetsUnnamed})`, body);
  };

  describe(`${store.name}: adding`, () => {
    test('a new queue is empty, and its executor the first', async () => {
      const queue = await open();
      expect([queue.member, queue.predecessor]).toEqual([1, 0]);
      expect(await queue.counts()).toEqual(EMPTY);
      expect(await queue.claim(10, 0)).toEqual([]);
      expect(await queue.claimSuspect()).toBeUndefined();
      expect(await queue.nextDue()).toBeUndefined();
      expect(await queue.suspects()).toBe(0);
      expect(await queue.lastOrdinal()).toBe(0);
      expect(await all(queue.outcomes())).toEqual([]);
      expect(await queue.recover({ member: 0, death: 'crashed' }, 3)).toEqual({
        interrupted: 0,
        suspects: 0,
        crashed: [],
      });
    });

    test('a claim gives back exactly what was added', async () => {
      const queue = await open();
      const bytes = new Uint8Array([0, 1, 255, 0]);
      const given = [
        aTask({ id: 'text', handler: 'one', input: '{"ü":"\\u0000 \\"𝒳"}', priority: 5, timeoutMs: 250, retries: 0 }),
        aTask({ id: 'bytes', handler: 'two', input: bytes, priority: 4, timeoutMs: 2 ** 40 }),
        aTask({ id: 'a file/with ünusual\u0000 characters', input: new Uint8Array(0), priority: 3, retries: 7 }),
        aTask({ input: '', priority: -1 }),
      ];
      const added = await queue.add(given);
      expect(added.map((task) => task.status)).toEqual(Array(4).fill('added'));
      const claimed = await queue.claim(10, 0);
      expect(claimed).toEqual(
        given.map((task, index) => ({
          ...task,
          seq: added[index]!.seq,
          token: expect.any(Number),
          attempts: 0,
          crashes: 0,
          earlier: undefined,
        })),
      );
      expect(Buffer.isBuffer(claimed[1]!.input)).toBe(false);
    });

    test('numbers rise in the order of arrival, and a task without an id is called by its number', async () => {
      const queue = await open();
      const added = [...(await queue.add(tasks(3))), ...(await queue.add(tasks(2)))];
      const seqs = added.map((task) => task.seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      expect(added.map((task) => task.id)).toEqual(seqs.map((seq) => `#${seq}`));
    });

    test('an id that is there already is a duplicate or a conflict, and no second task', async () => {
      const queue = await open();
      const bytes = Buffer.from('1');
      const [first, twin, third] = await queue.add([
        aTask({ id: 'a' }),
        aTask({ id: 'a', priority: 9, timeoutMs: 1 }),
        aTask({ id: 'b', input: new Uint8Array(bytes) }),
      ]);
      expect(twin).toEqual({ seq: first!.seq, id: 'a', status: 'duplicate' });
      const again = await queue.add([
        aTask({ id: 'a', handler: 'other' }),
        aTask({ id: 'a', input: '2' }),
        aTask({ id: 'a', input: new Uint8Array(bytes) }),
        aTask({ id: 'b', input: new Uint8Array(bytes) }),
        aTask({ id: 'b', input: '1' }),
        aTask({ id: 'b', input: new Uint8Array([50]) }),
        aTask({ id: 'b', input: new Uint8Array([49, 49]) }),
      ]);
      expect(again.map((task) => task.status)).toEqual([
        'conflict',
        'conflict',
        'conflict',
        'duplicate',
        'conflict',
        'conflict',
        'conflict',
      ]);
      expect(again.map((task) => task.seq)).toEqual([...Array(3).fill(first!.seq), ...Array(4).fill(third!.seq)]);
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 2 });
      expect(await queue.claim(9, 0)).toMatchObject([
        { id: 'a', handler: 'handle', input: '1', priority: 9, timeoutMs: 1 },
        { id: 'b' },
      ]);
    });

    test('an id stays taken after its outcome', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [task] = await queue.claim(1, 0);
      await queue.settle([done(task!)]);
      expect(await queue.add([aTask({ id: 'a' })])).toEqual([{ seq: task!.seq, id: 'a', status: 'duplicate' }]);
      expect(await queue.claim(1, 0)).toEqual([]);
    });

    test('where nothing else is asked, it may be told in short that all are new', async () => {
      const queue = await open();
      const inShort = async (given: NewTask[]): Promise<number[]> => {
        const added = await queue.add(given, 'with outcome');
        if (Array.isArray(added)) return added.map(({ seq }) => seq);
        return given.map((_, index) => added.first + index);
      };
      const first = await inShort(tasks(3));
      const named = await inShort([aTask({ id: 'a' }), aTask({ id: 'b' })]);
      const mixed = await queue.add([aTask({ id: 'b' }), aTask(), aTask({ id: 'a', input: '2' })], 'with outcome');
      expect(mixed).toMatchObject([
        { seq: named[1], status: 'duplicate' },
        { status: 'added' },
        { status: 'conflict' },
      ]);
      expect((await queue.claim(9, 0)).map(({ seq }) => seq)).toEqual([...first, ...named, named[1]! + 1]);
    });

    test('tasks without an id are never duplicates', async () => {
      const queue = await open();
      const added = await queue.add([aTask(), aTask()]);
      expect(added.map((task) => task.status)).toEqual(['added', 'added']);
    });
  });

  describe(`${store.name}: claiming`, () => {
    test('the highest priority comes first, equal ones in the order of arrival', async () => {
      const queue = await open();
      const priorities = Array.from({ length: 300 }, (_, index) => ((index * 7919) % 11) - 5);
      const added = await queue.add(priorities.map((priority) => aTask({ priority })));
      const expected = added
        .map(({ seq }, index) => ({ seq, priority: priorities[index]! }))
        .sort((a, b) => b.priority - a.priority || a.seq - b.seq);
      const claimed = [...(await queue.claim(100, 0)), ...(await queue.claim(1000, 0))];
      expect(claimed.map(({ seq, priority }) => ({ seq, priority }))).toEqual(expected);
    });

    test('a claim gives no more than its limit, and no task twice', async () => {
      const queue = await open();
      await queue.add(tasks(5));
      expect(await queue.claim(0, 0)).toEqual([]);
      const inputs = [await queue.claim(2, 0), await queue.claim(2, 0), await queue.claim(2, 0)];
      expect(inputs.map((claim) => claim.map((task) => task.input))).toEqual([['0', '1'], ['2', '3'], ['4']]);
      expect(await queue.counts()).toEqual({ ...EMPTY, running: 5 });
    });

    test('a long line keeps its order while it grows and shrinks', async () => {
      const queue = await open();
      const seen: string[] = [];
      for (let round = 0; round < 12; round += 1) {
        await queue.add(tasks(500).map((task, index) => ({ ...task, input: String(round * 500 + index) })));
        const claimed = await queue.claim(round < 8 ? 300 : 2000, 0);
        seen.push(...claimed.map((task) => String(task.input)));
      }
      expect(seen).toEqual(Array.from({ length: 6000 }, (_, index) => String(index)));
    });

    test('a delayed task waits until it is due, with the attempts it has had', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' }), aTask({ id: 'b' }), aTask({ id: 'c' })]);
      const [a, b] = await queue.claim(2, 0);
      await queue.settle([retry(a!, { runAt: 2000 }), retry(b!, { attempts: 2, crashes: 1, runAt: 1000 })]);
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 1, delayed: 2 });
      expect(await queue.nextDue()).toBe(1000);
      expect((await queue.claim(9, 999)).map((task) => task.id)).toEqual(['c']);
      expect(await queue.claim(9, 1000)).toMatchObject([{ id: 'b', attempts: 2, crashes: 1 }]);
      expect(await queue.nextDue()).toBe(2000);
      expect(await queue.claim(9, 5000)).toMatchObject([{ id: 'a', attempts: 1, crashes: 0 }]);
      expect(await queue.nextDue()).toBeUndefined();
    });

    test('a delayed task that is due takes the place of its priority', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'low' }), aTask({ id: 'high', priority: 1 })]);
      const [high] = await queue.claim(1, 0);
      await queue.settle([retry(high!, { runAt: 10 })]);
      await queue.add([aTask({ id: 'higher', priority: 2 })]);
      expect((await queue.claim(9, 10)).map((task) => task.id)).toEqual(['higher', 'high', 'low']);
    });

    test('a released task is ready again in its old place, charged with nothing', async () => {
      const queue = await open();
      await queue.add(tasks(5));
      const [first, second, third] = await queue.claim(3, 0);
      await queue.settle([
        { kind: 'release', claim: third! },
        { kind: 'release', claim: first! },
      ]);
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 4, running: 1 });
      const claimed = await queue.claim(9, 0);
      expect(claimed.map((task) => task.input)).toEqual(['0', '2', '3', '4']);
      expect(claimed[0]).toEqual({ ...first, token: expect.any(Number) });
      expect(second).toMatchObject({ input: '1' });
    });

    test('suspects are given one by one, the oldest first, and only to who asks for them', async () => {
      const queue = await open();
      await queue.add(tasks(3));
      const [first, second] = await queue.claim(2, 0);
      await queue.settle([
        { kind: 'suspect', claim: second! },
        { kind: 'suspect', claim: first! },
      ]);
      expect(await queue.suspects()).toBe(2);
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 3 });
      expect((await queue.claim(9, 0)).map((task) => task.input)).toEqual(['2']);
      const again = [await queue.claimSuspect()];
      expect(await queue.suspects()).toBe(1);
      again.push(await queue.claimSuspect());
      expect(again).toEqual([first, second].map((task) => ({ ...task, token: expect.any(Number) })));
      expect(await queue.claimSuspect()).toBeUndefined();
      expect(await queue.counts()).toEqual({ ...EMPTY, running: 3 });
      await queue.settle([done(again[0]!), { kind: 'release', claim: again[1]! }]);
      expect((await queue.claim(9, 0)).map((task) => task.input)).toEqual(['1']);
    });
  });

  describe(`${store.name}: telling of work`, () => {
    /** What is told of while `call` is under way, once it has come to its end. */
    async function told(queue: TaskQueue, call: () => Promise<unknown>): Promise<Work[]> {
      const works: Work[] = [];
      queue.onWork((work) => works.push(work));
      await call().catch(() => {});
      return works.sort();
    }

    test('of what is added it is told in time for a claim to share its write', async () => {
      const queue = await open();
      const order: string[] = [];
      const claimed = new Promise<ClaimedTask[]>((resolve) => {
        queue.onWork(() => {
          order.push('told');
          void queue.claim(9, 0).then(resolve);
        });
      });
      await Promise.all([
        queue.add([aTask({ id: 'a' }), aTask({ id: 'b' })]).then(() => order.push('added')),
        claimed.then(() => order.push('claimed')),
      ]);
      expect((await claimed).map(({ id }) => id)).toEqual(['a', 'b']);
      expect(order[0]).toBe('told');
    });

    test('of what goes back it is told as what it waits, and of an outcome not at all', async () => {
      const queue = await open();
      await queue.add(['a', 'b', 'c', 'd'].map((id) => aTask({ id })));
      const [a, b, c, d] = await queue.claim(9, 0);
      expect(await told(queue, () => queue.settle([{ kind: 'release', claim: a! }]))).toEqual(['queued']);
      expect(await told(queue, () => queue.settle([{ kind: 'suspect', claim: b! }]))).toEqual(['suspect']);
      expect(await told(queue, () => queue.settle([retry(c!)]))).toEqual(['delayed']);
      expect(await told(queue, () => queue.settle([done(d!, { state: 'failed' })]))).toEqual([]);
      expect(await told(queue, () => queue.cancel('a'))).toEqual([]);
      expect(await told(queue, () => queue.retry(['failed']))).toEqual(['queued']);
      expect(await told(queue, () => queue.claim(9, 0))).toEqual([]);
    });

    test('of what was held back it is told once it is let go, all at once or by its name', async () => {
      const queue = await open();
      await queue.add(['a', 'b', 'c'].map((id) => aTask({ id })));
      const [a, b] = await queue.claim(2, 0);
      await queue.settle([{ kind: 'suspect', claim: a! }, retry(b!, { runAt: 5 })]);
      await queue.hold();
      const named = await told(queue, () => queue.add([aTask({ id: 'a' })]));
      expect(named).toContain('suspect');
      expect(named).not.toContain('delayed');
      expect(await told(queue, () => queue.letGo())).toEqual(['delayed', 'queued']);
      expect(await told(queue, () => queue.letGo())).toEqual([]);
    });
  });

  describe(`${store.name}: settling`, () => {
    test('an outcome is recorded as it was given', async () => {
      const queue = await open();
      const error = { name: 'TypeError', message: 'no\nsuch "thing" \ud800', code: 'E_X', stack: 'at x' };
      const bare = { name: 'Error', message: '' };
      await queue.add(['a', 'b', 'c', 'd'].map((id) => aTask({ id, handler: id.repeat(2) })));
      const [a, b, c, d] = await queue.claim(9, 0);
      const settled = await queue.settle([
        done(d!, { state: 'timed-out', result: undefined, error: bare, startedAt: null, durationMs: 0, thread: null }),
        { kind: 'release', claim: b! },
        done(a!, { result: new Uint8Array([7, 0]), startedAt: 1.7e12 + 0.25, durationMs: 0.125, thread: 3 }),
        done(c!, { state: 'failed', attempts: 4, crashes: 2, result: undefined, error }),
      ]);
      expect(settled).toEqual({ ordinals: [1, 2, 3], refused: [] });
      const expected = [
        {
          id: 'd',
          handler: 'dd',
          state: 'timed-out',
          attempts: 1,
          crashes: 0,
          error: bare,
          startedAt: null,
          durationMs: 0,
          thread: null,
        },
        {
          id: 'a',
          handler: 'aa',
          state: 'done',
          attempts: 1,
          crashes: 0,
          result: new Uint8Array([7, 0]),
          startedAt: 1.7e12 + 0.25,
          durationMs: 0.125,
          thread: 3,
        },
        {
          id: 'c',
          handler: 'cc',
          state: 'failed',
          attempts: 4,
          crashes: 2,
          error,
          startedAt: 1000,
          durationMs: 2.5,
          thread: 1,
        },
      ].map((outcome, index) => ({ ordinal: index + 1, ...outcome }));
      expect(await all(queue.outcomes())).toEqual(expected);
      expect(await queue.outcome('c')).toEqual(expected[2]);
      expect(await queue.outcome('c', { withInput: true })).toEqual({ ...expected[2], input: '1' });
      expect(await queue.outcome('b')).toBeUndefined();
      expect(await queue.outcome('nobody')).toBeUndefined();
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 1, 'timed-out': 1, done: 1, failed: 1 });
    });

    test('a handler that returned nothing leaves an outcome without a result', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [task] = await queue.claim(1, 0);
      await queue.settle([done(task!, { result: undefined })]);
      expect(Object.keys((await queue.outcome('a'))!)).not.toContain('result');
      expect(Object.keys((await queue.outcome('a'))!)).not.toContain('error');
    });

    test('a recorded outcome never changes', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [claim] = await queue.claim(1, 0);
      await queue.settle([done(claim!)]);
      const recorded = structuredClone(await queue.outcome('a'));
      for (const settlement of [
        done(claim!, { state: 'failed', result: '"other"' }),
        retry(claim!, { attempts: 2 }),
        { kind: 'release', claim: claim! },
        { kind: 'suspect', claim: claim! },
      ] as const) {
        expect(await queue.settle([settlement])).toEqual({ ordinals: [], refused: [settlement] });
      }
      // What was handed out is the caller's own.
      (await queue.outcome('a'))!.state = 'failed';
      for await (const outcome of queue.outcomes()) outcome.state = 'failed';
      expect(await queue.outcome('a')).toEqual(recorded);
      expect(await queue.claim(9, 9)).toEqual([]);
      expect(await queue.counts()).toEqual({ ...EMPTY, done: 1 });
    });

    test('what nobody has claimed cannot be settled', async () => {
      const queue = await open();
      const [first] = await queue.add([aTask({ id: 'a' })]);
      for (const seq of [first!.seq, first!.seq + 1]) {
        const settlements = [0, 1].map((token) => done({ seq, token }));
        expect(await queue.settle(settlements)).toEqual({ ordinals: [], refused: settlements });
      }
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 1 });
      expect(await all(queue.outcomes())).toEqual([]);
    });

    test('a claim is over once the task was given back, also while it is claimed anew', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [first] = await queue.claim(1, 0);
      const late = done(first!, { state: 'failed' });
      await queue.settle([{ kind: 'release', claim: first! }]);
      expect((await queue.settle([late])).refused).toEqual([late]);
      const [second] = await queue.claim(1, 0);
      expect((await queue.settle([late])).refused).toEqual([late]);
      await queue.settle([{ kind: 'suspect', claim: second! }]);
      const third = await queue.claimSuspect();
      expect((await queue.settle([late, done(second!)])).refused).toHaveLength(2);
      expect(new Set([first, second, third].map((claim) => claim!.token)).size).toBe(3);
      expect(await queue.settle([done(third!)])).toEqual({ ordinals: [1], refused: [] });
      await queue.retry(['done']);
      const [fourth] = await queue.claim(1, 0);
      expect((await queue.settle([late, done(third!)])).refused).toHaveLength(2);
      expect(await queue.settle([done(fourth!)])).toEqual({ ordinals: [2], refused: [] });
    });

    test('of one call, that part is recorded whose claims are not over', async () => {
      const queue = await open();
      await queue.add(['a', 'b', 'c'].map((id) => aTask({ id })));
      const [a, b] = await queue.claim(2, 0);
      const notClaimed = done({ seq: b!.seq + 1, token: b!.token });
      const twice = done(a!, { state: 'failed' });
      const settled = await queue.settle([done(a!), notClaimed, { kind: 'release', claim: b! }, twice, done(b!)]);
      expect(settled).toEqual({ ordinals: [1], refused: [notClaimed, twice, done(b!)] });
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 2, done: 1 });
      const rest = await queue.claim(9, 0);
      expect(await queue.settle([twice, ...rest.map((claim) => done(claim))])).toMatchObject({ ordinals: [2, 3] });
      expect((await all(queue.outcomes())).map(({ id, state }) => [id, state])).toEqual([
        ['a', 'done'],
        ['b', 'done'],
        ['c', 'done'],
      ]);
      expect(await queue.settle([])).toEqual({ ordinals: [], refused: [] });
      expect(await queue.add([])).toEqual([]);
    });

    testUnnamed('a task without an id leaves its outcome under its number', async () => {
      const queue = await open();
      const [task] = await queue.add([aTask(), aTask({ id: 'named' })]);
      await queue.settle((await queue.claim(2, 0)).map((claim) => done(claim)));
      expect(await queue.outcome(task!.id)).toMatchObject({ id: task!.id, state: 'done' });
      expect(await queue.outcome(`#${task!.seq + 1}`)).toBeUndefined();
      expect((await queue.cancel(task!.id)).found).toBe('done');
      expect(await queue.cancel(`#${task!.seq + 1}`)).toEqual({ found: undefined });
    });

    test('a task without an id is counted when it has ended', async () => {
      const queue = await open();
      await queue.add([aTask()]);
      const [task] = await queue.claim(1, 0);
      expect((await queue.settle([done(task!)])).ordinals).toEqual([1]);
      expect(await queue.counts()).toEqual({ ...EMPTY, done: 1 });
      expect(await queue.lastOrdinal()).toBe(1);
    });
  });

  if (store.forgetsUnnamed === undefined) {
    test(`${store.name}: delays that an earlier clock made are capped`, async () => {
      const queue = await open();
      await queue.add(tasks(3));
      const runAt = [50, 1e12, 200];
      await queue.settle((await queue.claim(3, 0)).map((claim, index) => retry(claim, { runAt: runAt[index]! })));
      await queue.capDelays(100);
      expect(await queue.nextDue()).toBe(50);
      expect((await queue.claim(3, 99)).map(({ seq }) => seq)).toEqual([1]);
      expect((await queue.claim(3, 100)).map(({ seq }) => seq)).toEqual([2, 3]);
    });
  }

  describe(`${store.name}: cancelling and retrying`, () => {
    test('a task that waits can be cancelled, in whatever way it waits', async () => {
      const queue = await open();
      await queue.add(['suspect', 'delayed', 'queued', 'other'].map((id) => aTask({ id })));
      const [suspect, delayed] = await queue.claim(2, 0);
      await queue.settle([{ kind: 'suspect', claim: suspect! }, retry(delayed!, { crashes: 2, runAt: 50 })]);
      expect((await queue.cancel('delayed')).found).toBe('delayed');
      expect((await queue.cancel('queued')).found).toBe('queued');
      expect((await queue.cancel('suspect')).found).toBe('queued');
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 1, cancelled: 3 });
      expect(await queue.nextDue()).toBeUndefined();
      expect(await queue.claimSuspect()).toBeUndefined();
      expect((await queue.claim(9, 99)).map((task) => task.id)).toEqual(['other']);
      const outcomes = await all(queue.outcomes());
      expect(outcomes.map((outcome) => outcome.id)).toEqual(['delayed', 'queued', 'suspect']);
      expect(outcomes[0]).toEqual({
        ordinal: 1,
        id: 'delayed',
        handler: 'handle',
        state: 'cancelled',
        attempts: 1,
        crashes: 2,
        earlierAttempts: [],
        error: expect.objectContaining({ code: 'ERR_TASK_CANCELLED' }),
        startedAt: null,
        durationMs: 0,
        thread: null,
      });
    });

    test('a task without an id is cancelled by its number, one with an id only by its id', async () => {
      const queue = await open();
      const [unnamed, named] = await queue.add([aTask(), aTask({ id: 'a' })]);
      expect(await queue.cancel(`#${named!.seq}`)).toEqual({ found: undefined });
      expect((await queue.cancel(unnamed!.id)).found).toBe('queued');
      expect(await queue.cancel('#')).toEqual({ found: undefined });
      expect((await queue.claim(9, 0)).map((task) => task.id)).toEqual(['a']);
    });

    test('cancelling tells the state of a task that does not wait, and changes nothing', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [task] = await queue.claim(1, 0);
      expect((await queue.cancel('a')).found).toBe('running');
      await queue.settle([done(task!)]);
      expect((await queue.cancel('a')).found).toBe('done');
      expect(await queue.cancel('nobody')).toEqual({ found: undefined });
      expect(await queue.counts()).toEqual({ ...EMPTY, done: 1 });
    });

    test('retried tasks are as if they had never run, in their old places', async () => {
      const queue = await open();
      const ids = ['a', 'b', 'c', 'd', 'e'];
      await queue.add(ids.map((id) => aTask({ id })));
      await queue.cancel('e');
      const [a, b, c] = await queue.claim(3, 0);
      await queue.settle([
        done(a!, { state: 'failed', attempts: 3, crashes: 1 }),
        done(b!),
        done(c!, { state: 'crashed' }),
      ]);
      expect(await queue.retry(['failed', 'timed-out', 'cancelled', 'failed'])).toBe(2);
      expect(await queue.lastOrdinal()).toBe(4);
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 3, done: 1, crashed: 1 });
      expect(await queue.outcome('a')).toBeUndefined();
      expect((await all(queue.outcomes())).map((outcome) => outcome.id)).toEqual(['b', 'c']);
      const claimed = await queue.claim(9, 0);
      expect(claimed).toMatchObject([{ id: 'a', attempts: 0, crashes: 0 }, { id: 'd' }, { id: 'e' }]);
      // Four ordinals were given, two of them taken back: none comes a second time.
      expect((await queue.settle(claimed.map((task) => done(task)))).ordinals).toEqual([5, 6, 7]);
      expect((await all(queue.outcomes({ afterOrdinal: 3 }))).map((outcome) => outcome.ordinal)).toEqual([4, 5, 6, 7]);
      expect(await queue.retry(['cancelled'])).toBe(0);
    });

    test('one task alone is retried by its id, unless it is done', async () => {
      const queue = await open();
      await queue.add(['a', 'b', 'c'].map((id) => aTask({ id })));
      const [a, b, c] = await queue.claim(3, 0);
      await queue.settle([
        done(a!, { state: 'failed', attempts: 3, crashes: 1 }),
        done(b!),
        done(c!, { state: 'failed' }),
      ]);
      expect(await queue.retryTask('a')).toEqual({ found: 'failed', retried: true });
      expect(await queue.retryTask('a')).toEqual({ found: 'queued', retried: false });
      expect(await queue.retryTask('b')).toEqual({ found: 'done', retried: false });
      expect(await queue.retryTask('nobody')).toEqual({ found: undefined, retried: false });
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 1, done: 1, failed: 1 });
      expect(await queue.outcome('a')).toBeUndefined();
      expect((await all(queue.outcomes())).map((outcome) => outcome.id)).toEqual(['b', 'c']);
      expect(await queue.claim(9, 0)).toMatchObject([{ id: 'a', attempts: 0, crashes: 0 }]);
    });

    test('one that is retried by its id is not held back', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [task] = await queue.claim(1, 0);
      await queue.settle([done(task!, { state: 'failed' })]);
      await queue.hold();
      expect(await queue.retryTask('a')).toEqual({ found: 'failed', retried: true });
      expect(await queue.held(9)).toEqual({ count: 0, some: [] });
      expect((await queue.claim(9, 0)).map(({ id }) => id)).toEqual(['a']);
    });

    test('a task that was cancelled and retried is given once', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' }), aTask({ id: 'b' })]);
      for (let round = 0; round < 3; round += 1) {
        await queue.cancel('a');
        await queue.retry(['cancelled']);
      }
      const claimed = await queue.claim(9, 0);
      expect(claimed.map((task) => task.id)).toEqual(['a', 'b']);
      await queue.settle([retry(claimed[0]!, { runAt: 10 })]);
      await queue.cancel('a');
      await queue.retry(['cancelled']);
      const [again] = await queue.claim(9, 0);
      await queue.settle([retry(again!, { runAt: 20 })]);
      expect(await queue.nextDue()).toBe(20);
      expect(await queue.claim(9, 15)).toEqual([]);
      expect((await queue.claim(9, 20)).map((task) => task.id)).toEqual(['a']);
    });

    test('thousands of cancelled tasks do not disturb those that stay', async () => {
      const queue = await open();
      const added = await queue.add(Array.from({ length: 3000 }, (_, index) => aTask({ priority: index % 2 })));
      const claimed = await queue.claim(3, 0);
      await queue.settle(claimed.map((task) => ({ kind: 'release', claim: task })));
      const keep = new Set([0, 1, 2999, 1500].map((index) => added[index]!.seq));
      await Promise.all(added.filter((task) => !keep.has(task.seq)).map((task) => queue.cancel(task.id)));
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 4, cancelled: 2996 });
      const rest = await queue.claim(9, 0);
      expect(rest.map((task) => task.seq)).toEqual([1, 2999, 0, 1500].map((index) => added[index]!.seq));
    });
  });

  describe(`${store.name}: holding`, () => {
    /** A queue in which one task waits in each way, and one has ended: all of them named by an earlier start. */
    async function left(): Promise<TaskQueue> {
      const queue = await open();
      const ids = ['suspect', 'delayed', 'failed', 'queued'];
      await queue.add(ids.map((id) => aTask({ id })));
      const [suspect, delayed, failed] = await queue.claim(3, 0);
      await queue.settle([
        { kind: 'suspect', claim: suspect! },
        retry(delayed!, { runAt: 50 }),
        done(failed!, { state: 'failed' }),
      ]);
      expect(await queue.hold()).toBe(4);
      return queue;
    }

    test('what an earlier start left waiting is held back, and counted as what it is', async () => {
      const queue = await left();
      expect(await queue.claim(9, 99)).toEqual([]);
      expect(await queue.claimSuspect()).toBeUndefined();
      expect(await queue.nextDue()).toBeUndefined();
      expect(await queue.suspects()).toBe(0);
      expect(await queue.counts()).toEqual({ ...EMPTY, queued: 2, delayed: 1, failed: 1 });
      const { count, some } = await queue.held(9);
      expect([count, some.map(({ id, input }) => `${id} ${String(input)}`).sort()]).toEqual([
        3,
        ['delayed 1', 'queued 1', 'suspect 1'],
      ]);
      expect((await queue.held(1)).some).toHaveLength(1);
    });

    test('a held task goes on as what it was once it is named again, and new ones wait for none', async () => {
      const queue = await left();
      await queue.add([aTask({ id: 'new' })]);
      expect((await queue.claim(9, 99)).map((task) => task.id)).toEqual(['new']);
      const added = await queue.add(['queued', 'suspect', 'delayed', 'failed'].map((id) => aTask({ id })));
      expect(added).toEqual([
        { seq: 4, id: 'queued', status: 'duplicate' },
        { seq: 1, id: 'suspect', status: 'duplicate' },
        { seq: 2, id: 'delayed', status: 'duplicate' },
        { seq: 3, id: 'failed', status: 'duplicate' },
      ]);
      expect(await queue.nextDue()).toBe(50);
      expect((await queue.claim(9, 0)).map((task) => task.id)).toEqual(['queued']);
      expect(await queue.claimSuspect()).toMatchObject({ id: 'suspect' });
      expect(await queue.claim(9, 50)).toMatchObject([{ id: 'delayed', attempts: 1 }]);
      expect(await queue.held(9)).toEqual({ count: 0, some: [] });
    });

    test('all that is held can be let go at once', async () => {
      const queue = await left();
      await queue.letGo();
      await queue.letGo();
      expect(await queue.suspects()).toBe(1);
      expect((await queue.claim(9, 99)).map((task) => task.id)).toEqual(['delayed', 'queued']);
      expect(await queue.held(9)).toEqual({ count: 0, some: [] });
    });

    test('an outcome that is taken back is held until it is named', async () => {
      const queue = await left();
      expect(await queue.retry(['failed'])).toBe(1);
      expect((await queue.held(9)).count).toBe(4);
      expect(await queue.claim(9, 0)).toEqual([]);
      await queue.add([aTask({ id: 'failed', timeoutMs: 7 })]);
      expect(await queue.claim(9, 0)).toMatchObject([{ id: 'failed', timeoutMs: 7 }]);
    });

    test('what runs is not held, and a held task can be cancelled', async () => {
      const queue = await left();
      await queue.add([aTask({ id: 'new' })]);
      const [running] = await queue.claim(1, 0);
      expect(await queue.hold()).toBe(5);
      expect((await queue.cancel('suspect')).found).toBe('queued');
      expect((await queue.held(9)).count).toBe(2);
      await queue.settle([{ kind: 'release', claim: running! }]);
      expect((await queue.claim(9, 99)).map((task) => task.id)).toEqual(['new']);
    });
  });

  describe(`${store.name}: options of a task`, () => {
    test('the ones it was given last hold, until it has its outcome', async () => {
      const queue = await open();
      await queue.add(['a', 'b', 'c'].map((id) => aTask({ id, timeoutMs: 5, retries: 1 })));
      await queue.add([aTask({ id: 'b', priority: 1, retries: 2 }), aTask({ id: 'c', handler: 'other', priority: 9 })]);
      const claimed = await queue.claim(9, 0);
      expect(claimed).toMatchObject([
        { id: 'b', priority: 1, timeoutMs: undefined, retries: 2 },
        { id: 'a', timeoutMs: 5, retries: 1 },
        { id: 'c', priority: 0, timeoutMs: 5 },
      ]);
      const [b, a] = claimed;
      await queue.settle([done(a!)]);
      await queue.add(['a', 'b'].map((id) => aTask({ id, timeoutMs: 99 })));
      await queue.settle([{ kind: 'release', claim: b! }]);
      expect(await queue.claim(9, 0)).toMatchObject([{ id: 'b', priority: 0, timeoutMs: 99, retries: undefined }]);
    });

    test('a task whose priority changes changes its place, to and fro', async () => {
      const queue = await open();
      const add = (id: string, priority: number) => queue.add([aTask({ id, priority })]);
      for (const id of ['a', 'b', 'c', 'd']) await add(id, 0);
      await add('c', 1);
      await add('d', 1);
      await add('d', 0);
      await add('a', -1);
      expect((await queue.claim(9, 0)).map((task) => task.id)).toEqual(['c', 'b', 'd', 'a']);
      expect(await queue.counts()).toEqual({ ...EMPTY, running: 4 });
    });
  });

  describe(`${store.name}: what a run is`, () => {
    const identity = { module: '/a/job.mjs', realModule: '/b/job.mjs', handler: 'h', source: 'lines', version: 'v1' };

    test('its identity is the one recorded last, and a cleared queue has none', async () => {
      const queue = await open();
      expect(await queue.identity()).toBeUndefined();
      await queue.identify({ ...identity, source: 'lines', handler: undefined });
      await queue.identify({ ...identity, source: undefined, version: undefined });
      expect(await queue.identity()).toEqual({ ...identity, source: undefined, version: undefined });
      await queue.clear();
      expect(await queue.identity()).toBeUndefined();
    });

    test('outcomes tell of which text of the module they are', async () => {
      const queue = await open();
      await queue.add(['a', 'b', 'c', 'd'].map((id) => aTask({ id })));
      const [a, b, c] = await queue.claim(9, 0);
      // One that is refused leaves nothing of its version behind.
      await queue.settle([done({ seq: 99, token: 1 }, { version: 'v3' })]);
      await queue.settle([done(a!, { version: 'v2' }), done(b!, { version: 'v1' }), done(c!)]);
      const versions = (await all(queue.outcomes())).map((outcome) => [outcome.id, outcome.version]);
      expect(versions).toEqual([
        ['a', 'v2'],
        ['b', 'v1'],
        ['c', undefined],
      ]);
      expect(await queue.outcomesOfOtherVersions('v1')).toBe(1);
      expect(await queue.outcomesOfOtherVersions('v3')).toBe(2);
      await queue.retry(['done']);
      expect(await queue.outcomesOfOtherVersions('v3')).toBe(0);
    });

    test('outcomes tell what earlier attempts ended with, until they are taken back', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const attempt = { attempt: 1, state: 'failed', startedAt: 5, durationMs: 0.5, thread: 2 } as const;
      const earlier = [{ ...attempt, error: { name: 'Error', message: 'not yet' } }];
      const [task] = await queue.claim(1, 0);
      await queue.settle([retry(task!, { earlier })]);
      const [again] = await queue.claim(1, 0);
      expect(again).toMatchObject({ earlier });
      await queue.settle([done(again!)]);
      expect(await all(queue.outcomes())).toMatchObject([{ id: 'a', earlierAttempts: earlier }]);
      await queue.retry(['done']);
      expect(await queue.claim(1, 0)).toMatchObject([{ id: 'a', earlier: undefined }]);
    });
  });

  test(`${store.name}: a cleared queue is empty, and no number of what it held comes again`, async () => {
    const queue = await open();
    const added = await queue.add(['a', 'b', 'c', 'd', 'e'].map((id) => aTask({ id })));
    const [a, b, c] = await queue.claim(3, 0);
    await queue.settle([done(a!), { kind: 'suspect', claim: b! }, retry(c!, { runAt: 0 })]);
    const [running] = await queue.claim(1, -1);
    await queue.clear();
    expect(await queue.counts()).toEqual(EMPTY);
    expect(await all(queue.outcomes())).toEqual([]);
    expect(await queue.claim(9, 9)).toEqual([]);
    expect(await queue.claimSuspect()).toBeUndefined();
    expect(await queue.nextDue()).toBeUndefined();
    const [again] = await queue.add([aTask({ id: 'a' })]);
    expect(again).toEqual({ seq: added.at(-1)!.seq + 1, id: 'a', status: 'added' });
    const [claim] = await queue.claim(1, 0);
    // What was running before may still end, and must not be taken for another task.
    expect(await queue.settle([done(running!), done(claim!)])).toEqual({ ordinals: [2], refused: [done(running!)] });
    expect(queue.member).toBe(1);
  });

  describe(`${store.name}: reading`, () => {
    const STATES: OutcomeState[] = ['done', 'failed', 'crashed', 'timed-out'];

    async function filled(count: number): Promise<TaskQueue> {
      const queue = await open();
      await queue.add(Array.from({ length: count }, (_, index) => aTask({ id: `t${index}` })));
      const claimed = await queue.claim(count, 0);
      await queue.settle(claimed.map((task, index) => done(task, { state: STATES[index % STATES.length]! })));
      return queue;
    }

    test('outcomes can be had by state, and from an ordinal on', async () => {
      const queue = await filled(1000);
      const everything = await all(queue.outcomes());
      expect(everything.map((outcome) => outcome.ordinal)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
      expect(await all(queue.outcomes({ afterOrdinal: 700 }))).toEqual(everything.slice(700));
      expect(await all(queue.outcomes({ afterOrdinal: 1000 }))).toEqual([]);
      expect(await all(queue.outcomes({ state: 'failed' }))).toEqual(
        everything.filter((outcome) => outcome.state === 'failed'),
      );
      expect(await all(queue.outcomes({ state: 'cancelled' }))).toEqual([]);
      expect(await all(queue.outcomes({ state: 'not-done', afterOrdinal: 300 }))).toEqual(
        everything.slice(300).filter((outcome) => outcome.state !== 'done'),
      );
      const withInput = everything.map((outcome) => ({ ...outcome, input: '1' }));
      expect(await all(queue.outcomes({ withInput: true }))).toEqual(withInput);
      expect(await all(queue.outcomes({ state: 'done', afterOrdinal: 500 }))).toEqual(
        everything.slice(500).filter((outcome) => outcome.state === 'done'),
      );
    });

    test('outcomes recorded while others are read are neither skipped nor doubled', async () => {
      const queue = await filled(600);
      const seen: number[] = [];
      let more = 900;
      for await (const { ordinal } of queue.outcomes()) {
        seen.push(ordinal);
        if (more === 0) continue;
        more -= 1;
        await queue.add([aTask({ id: `more${more}` })]);
        const [task] = await queue.claim(1, 0);
        await queue.settle([done(task!)]);
      }
      expect(seen).toEqual(Array.from({ length: 1500 }, (_, index) => index + 1));
    });

    /** All that a follower sees until it has caught up, and the cursor that it goes on from. */
    async function follow(queue: TaskQueue, cursor: number, choice?: OutcomeChoice): Promise<OutcomePage> {
      const outcomes: OutcomePage['outcomes'] = [];
      for (;;) {
        const page = await queue.outcomesAfter(cursor, choice);
        outcomes.push(...page.outcomes);
        if (page.cursor === cursor) return { outcomes, cursor };
        expect(page.cursor).toBeGreaterThan(cursor);
        cursor = page.cursor;
      }
    }

    test('whoever follows outcomes by a cursor sees each once, and only those that come later', async () => {
      const queue = await filled(1000);
      const all1000 = await follow(queue, 0);
      expect(all1000).toEqual({ outcomes: await all(queue.outcomes()), cursor: 1000 });
      expect(await follow(queue, 1000)).toEqual({ outcomes: [], cursor: 1000 });
      await queue.add([aTask({ id: 'late' })]);
      const [task] = await queue.claim(1, 0);
      expect(await follow(queue, 1000)).toEqual({ outcomes: [], cursor: 1000 });
      await queue.settle([done(task!)]);
      expect(await follow(queue, 1000)).toMatchObject({ outcomes: [{ id: 'late', ordinal: 1001 }], cursor: 1001 });
    });

    test('a cursor passes what was not chosen, and what was taken back', async () => {
      const queue = await filled(1000);
      const failed = (await all(queue.outcomes())).filter(({ state }) => state === 'failed');
      expect(await follow(queue, 0, { state: 'failed' })).toEqual({ outcomes: failed, cursor: 1000 });
      expect(await follow(queue, 0, { state: 'cancelled' })).toEqual({ outcomes: [], cursor: 1000 });
      const { outcomes } = await follow(queue, 990, { state: 'not-done', withInput: true });
      expect(outcomes.every((outcome) => outcome.state !== 'done' && outcome.input === '1')).toBe(true);
      expect(outcomes.length).toBeGreaterThan(0);
      await queue.retry(['failed']);
      const [again] = await queue.claim(1, 0);
      await queue.settle([done(again!)]);
      // Behind the end: as of a queue that was started over.
      expect(await follow(queue, 5000)).toEqual({ outcomes: [], cursor: 5000 });
      expect(await follow(queue, 1000)).toMatchObject({ outcomes: [{ id: again!.id, ordinal: 1001 }], cursor: 1001 });
    });

    test('outcomes that are not kept do not stop a cursor', async () => {
      const queue = await open();
      await queue.add([...tasks(3), aTask({ id: 'named' }), aTask()]);
      const claimed = await queue.claim(9, 0);
      await queue.settle(claimed.map((task) => done(task)));
      const { outcomes, cursor } = await follow(queue, 0);
      expect(cursor).toBe(await queue.lastOrdinal());
      expect(outcomes.map(({ id }) => id)).toContain('named');
    });

    test('a large result does not keep those behind it from being read', async () => {
      const queue = await open();
      const results = ['"small"', JSON.stringify('x'.repeat(1 << 21)), '"last"'];
      await queue.add(results.map((_, index) => aTask({ id: String(index) })));
      const claimed = await queue.claim(9, 0);
      await queue.settle(claimed.map((task, index) => done(task, { result: results[index] })));
      expect((await all(queue.outcomes())).map((outcome) => outcome.result)).toEqual(results);
    });

    test('calls take effect in the order they were made, awaited or not', async () => {
      const queue = await open();
      const calls = [
        queue.add([aTask({ id: 'a' }), aTask({ id: 'b' }), aTask({ id: 'c' })]),
        queue.claim(2, 0),
        queue.cancel('c'),
        queue.cancel('b'),
        queue.add([aTask({ id: 'a' })]),
      ] as const;
      expect(await queue.counts()).toEqual({ ...EMPTY, running: 2, cancelled: 1 });
      expect(await queue.outcome('c')).toMatchObject({ state: 'cancelled' });
      const [, claimed, c, b, [twin]] = await Promise.all(calls);
      expect(claimed.map((task) => task.id)).toEqual(['a', 'b']);
      expect([c.found, b.found, twin!.status]).toEqual(['queued', 'running', 'duplicate']);
    });

    test('calls of one tick do not disturb each other, refused or not', async () => {
      const queue = await open();
      await queue.add([aTask({ id: 'a' })]);
      const [claim] = await queue.claim(1, 0);
      const results = await Promise.all([
        queue.add([aTask({ id: 'b' })]),
        queue.settle([done(claim!)]),
        queue.settle([done(claim!, { state: 'failed' })]),
        queue.claim(1, 0),
        queue.settle([{ kind: 'release', claim: { seq: 4711, token: 1 } }]),
        queue.cancel('a'),
      ] as const);
      expect([1, 2, 4].map((index) => (results[index] as Settled).refused.length)).toEqual([0, 1, 1]);
      expect(results[3]).toMatchObject([{ id: 'b' }]);
      expect(results[5]).toMatchObject({ found: 'done' });
      expect(await queue.counts()).toEqual({ ...EMPTY, running: 1, done: 1 });
    });

    test('a closed queue refuses every call, and may be closed again', async () => {
      const queue = await store.open();
      const added = queue.add([aTask()]);
      await Promise.all([queue.close(), queue.close()]);
      await queue.close();
      expect(await added).toHaveLength(1);
      const calls: (() => Promise<unknown>)[] = [
        () => queue.recover({ member: 0, death: 'unseen' }, 1),
        () => queue.add([aTask()]),
        () => queue.claim(1, 0),
        () => queue.claimSuspect(),
        () => queue.settle([]),
        () => queue.cancel('a'),
        () => queue.retry(['failed']),
        () => queue.retryTask('a'),
        () => queue.hold(),
        () => queue.letGo(),
        () => queue.held(1),
        () => queue.identity(),
        () => queue.identify({ ...RUN }),
        () => queue.outcomesOfOtherVersions('v1'),
        () => queue.nextDue(),
        () => queue.suspects(),
        () => queue.counts(),
        () => queue.lastOrdinal(),
        () => queue.outcome('a'),
        () => all(queue.outcomes()),
        () => queue.outcomesAfter(0),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
    });
  });
}
