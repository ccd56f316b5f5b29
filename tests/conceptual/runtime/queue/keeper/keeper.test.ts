import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KeeperClient } from '../../../../../dist/runtime/queue/keeper/client.js';
import { FrameReader, frameOf } from '../../../../../dist/runtime/queue/keeper/frames.js';
import { openMemoryQueue } from '../../../../../dist/runtime/queue/memory/memory-queue.js';
import { openSqliteStore } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import type { QueueStore, TaskQueue, Work } from '../../../../../dist/runtime/queue/contract.js';
import { describeQueueContract } from '../../../../support/queue-contract.js';
import { KeptStore } from '../../../../support/kept-store.js';
import { all, aTask, done, retry, tasks } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';
import { waitFor } from '../../../../support/wait-for.js';

function onSqlite(): KeptStore {
  const dir = tempDir();
  return new KeptStore(dir, () => openSqliteStore(join(dir, 'queue.db')));
}

describeQueueContract({
  name: 'SQLite behind a keeper',
  open: async () => (await onSqlite().join()).queue,
});

/** A store whose queue is the one given. */
function storeOf(queue: Partial<TaskQueue>): QueueStore {
  const { traits } = openMemoryQueue();
  const given = { member: 1, predecessor: 0, traits, onWork: () => {}, close: async () => {}, ...queue };
  return { join: async () => given as TaskQueue, left: async () => {} };
}

describe('one executor after the other', () => {
  test('one that died is followed by the next on the same open store, and what it had is recovered', async () => {
    const store = onSqlite();
    const first = await store.join();
    await first.queue.add(tasks(3));
    const [claimed] = await first.queue.claim(2, 0);
    first.line.destroy();
    expect(await first.served).toBe(false);
    const { queue } = await store.join();
    onTestFinished(() => queue.close());
    expect([queue.member, queue.predecessor]).toEqual([2, 1]);
    expect(await queue.recover({ member: 1, death: 'killed' }, 3)).toMatchObject({ interrupted: 2 });
    expect((await queue.claim(10, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await queue.settle([done(claimed!)])).refused).toHaveLength(1);
  });

  test('what an executor sent before it died is done', async () => {
    const store = onSqlite();
    const { queue, line, served } = await store.join();
    const adding = queue.add(tasks(5));
    adding.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    line.end();
    await served;
    const next = await store.join();
    onTestFinished(() => next.queue.close());
    expect((await next.queue.counts()).queued).toBe(5);
  });

  test('the next one need not wait for the line of one that is gone: the store hears that it left', async () => {
    const told: string[] = [];
    const store = new KeptStore(tempDir(), async () => ({
      join: async () => (told.push('join'), openMemoryQueue()),
      left: async () => void told.push('left'),
    }));
    await store.join();
    const { queue } = await store.join();
    await queue.close();
    expect(told).toEqual(['join', 'left', 'join']);
  });

  test('after a close, the next one finds it closed, and opens it anew', async () => {
    const store = onSqlite();
    const first = await store.join();
    await first.queue.add(tasks(1));
    await first.queue.close();
    expect(await first.served).toBe(true);
    await expect(first.queue.counts()).rejects.toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
    await first.queue.check();
    const { queue } = await store.join();
    expect((await queue.counts()).queued).toBe(1);
    await queue.close();
  });

  test('a store that cannot be opened is tried again for the next', async () => {
    let tries = 0;
    const store = new KeptStore(tempDir(), async () => {
      if (++tries === 1) throw new Error('not yet');
      return { join: async () => openMemoryQueue(), left: async () => {} };
    });
    await expect(store.join()).rejects.toThrow('not yet');
    await (await store.join()).queue.close();
  });

  test('a run that starts over forgets what was there', async () => {
    const store = onSqlite();
    const first = await store.join();
    await first.queue.add(tasks(2));
    first.line.destroy();
    const { queue } = await store.join(true);
    expect((await queue.counts()).queued).toBe(0);
    await queue.close();
  });

  test('with nobody left, the keeper closes what was left open, or never opened by anybody', async () => {
    const store = onSqlite();
    await store.server.end(); // nothing is open
    store.server.openAhead();
    const closed: number[] = [];
    await store.server.end(async (queue) => {
      closed.push(queue.member);
      await queue.close();
    });
    const { queue, line } = await store.join();
    await queue.add(tasks(1));
    line.destroy();
    await store.server.end(async (open) => {
      closed.push(open.member);
      expect((await open.counts()).queued).toBe(1);
      await open.close();
    });
    expect(closed).toEqual([1, 2]);
  });
});

describe('a keeper that is gone', () => {
  test('every call under way and every later one is rejected, and the queue is lost without a call', async () => {
    const queue = { counts: () => new Promise<never>(() => {}) };
    const store = new KeptStore(tempDir(), async () => storeOf(queue));
    const [line, keepers] = await store.line();
    void store.server.serve(keepers);
    const kept = await new KeeperClient({ socket: line, ended: async () => 'was ended by SIGKILL' }).join(false);
    const pending = kept.counts();
    keepers.destroy();
    const died = { code: 'ERR_KEEPER_DIED', message: 'the process that keeps the queue was ended by SIGKILL' };
    await expect(pending).rejects.toMatchObject(died);
    expect(await kept.lost).toMatchObject(died);
    await expect(kept.add(tasks(1))).rejects.toMatchObject(died);
    await expect(kept.close()).rejects.toMatchObject(died);
  });

  test('a queue that was closed is not lost', async () => {
    const { queue } = await onSqlite().join();
    let lost = false;
    void queue.lost!.then(() => (lost = true));
    await queue.close();
    expect(lost).toBe(false);
  });
});

describe('who is told of work', () => {
  async function told(act: (queue: TaskQueue) => Promise<unknown>): Promise<Work[]> {
    const { queue } = await onSqlite().join();
    onTestFinished(() => queue.close());
    await queue.add(tasks(1, { id: 'a' }));
    const [task] = await queue.claim(1, 0);
    const works: Work[] = [];
    queue.onWork((work) => works.push(work));
    await act(queue);
    if (task !== undefined) await queue.settle([{ kind: 'suspect', claim: task }]);
    return works;
  }

  test('of an addition it is told once, by the executor itself', async () => {
    expect(await told((queue) => queue.add(tasks(3)))).toEqual(['queued', 'suspect']);
  });

  test('of what comes back it is told before the call that gives it back resolves', async () => {
    const works = await told(async (queue) => {
      await queue.add(tasks(1));
      const [task] = await queue.claim(1, 0);
      await queue.settle([retry(task!, { runAt: 50 })]);
    });
    expect(works).toEqual(['queued', 'delayed', 'suspect']);
  });
});

describe('tasks that the executor keeps', () => {
  /** What passes from the keeper, in bytes. */
  async function received(input: string, act: (queue: TaskQueue) => Promise<unknown>): Promise<number> {
    const { queue, line } = await onSqlite().join();
    onTestFinished(() => queue.close());
    await queue.add(tasks(100, { input }));
    const before = line.bytesRead;
    await act(queue);
    return line.bytesRead - before;
  }

  test('a claim of them does not bring their inputs back', async () => {
    const input = 'x'.repeat(10_000);
    const bytes = await received(input, async (queue) => {
      expect((await queue.claim(100, 0)).map((task) => task.input)).toEqual(Array.from({ length: 100 }, () => input));
    });
    expect(bytes).toBeLessThan(input.length);
  });

  test('a task that was given back, or added again, is what the store says', async () => {
    const { queue } = await onSqlite().join();
    onTestFinished(() => queue.close());
    await queue.add([aTask({ id: 'a' }), aTask({ id: 'b' }), aTask({ id: 'c' })]);
    await queue.add([aTask({ id: 'b', priority: 5, retries: 7 })]);
    const claimed = await queue.claim(2, 0);
    expect(claimed).toMatchObject([
      { id: 'b', priority: 5, retries: 7 },
      { id: 'a', priority: 0, retries: undefined },
    ]);
    await queue.settle(claimed.map((claim) => ({ kind: 'release' as const, claim })));
    expect((await queue.claim(3, 0)).map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  });

  test('those that were cancelled and retried, or cleared, come from the store', async () => {
    const { queue } = await onSqlite().join();
    onTestFinished(() => queue.close());
    await queue.add([aTask({ id: 'a' })]);
    await queue.cancel('a');
    await queue.retryTask('a');
    expect(await queue.claim(1, 0)).toMatchObject([{ id: 'a', input: '1' }]);
    await queue.add([aTask({ id: 'b' })]);
    await queue.clear();
    await queue.add([aTask({ id: 'b', input: '"new"' })]);
    expect(await queue.claim(1, 0)).toMatchObject([{ id: 'b', input: '"new"' }]);
  });

  test('what is beyond 16 MB is not kept', async () => {
    const large = (count: number) =>
      tasks(count).map((task) => ({ ...task, input: String(task.input).padEnd(2 ** 20) }));
    const { queue, line } = await onSqlite().join();
    onTestFinished(() => queue.close());
    for (let batch = 0; batch < 3; batch++) await queue.add(large(8));
    const before = line.bytesRead;
    expect(await queue.claim(24, 0)).toHaveLength(24);
    expect(Math.round((line.bytesRead - before) / 2 ** 20)).toBe(8);
    // Claimed ones make room.
    await queue.add(large(16));
    const again = line.bytesRead;
    await queue.claim(24, 0);
    expect(line.bytesRead - again).toBeLessThan(2 ** 20);
  });
});

describe('back-pressure', () => {
  test('an executor whose keeper does not answer sends no more than 8 MB, and then goes on', async () => {
    const [line, keepers] = await new KeptStore(tempDir(), () => Promise.reject(new Error('none'))).line();
    onTestFinished(() => void line.destroy());
    const joining = new KeeperClient({ socket: line, ended: async () => 'has ended' }).join(false);
    const reader = new FrameReader();
    const calls: [number, string, unknown][] = [];
    keepers.on('data', (chunk) => calls.push(...(reader.read(chunk) as typeof calls)));
    await waitFor('the join', () => calls.length === 1);
    const answer = (call: [number, ...unknown[]], given: unknown) => keepers.write(frameOf([call[0], given]));
    answer(calls[0]!, { member: 1, predecessor: 0, traits: {} });
    const queue = await joining;
    const adding = Array.from({ length: 40 }, () => queue.add([aTask({ input: 'x'.repeat(2 ** 20) })]));
    await waitFor('eight of them', () => calls.length === 9);
    expect(line.bytesWritten).toBeLessThan(9 * 2 ** 20);
    for (let next = 1; next < 41; next++) {
      await waitFor(`call ${next}`, () => calls.length > next);
      answer(calls[next]!, { seqs: next, statuses: ['added'] });
    }
    expect((await Promise.all(adding)).flat().map(({ seq }) => seq)).toEqual(
      Array.from(adding, (_, index) => index + 1),
    );
  });

  test('a keeper whose executor takes no answers reads no more of its calls', async () => {
    let calls = 0;
    const outcome = async () => {
      calls++;
      return { ordinal: 1, result: 'x'.repeat(2 ** 20) } as never;
    };
    let joined = false;
    const onWork = () => void (joined = true);
    const store = new KeptStore(tempDir(), async () => storeOf({ outcome, onWork }));
    const [line, keepers] = await store.line();
    const served = store.server.serve(keepers);
    line.write(frameOf([1, 'join', false]));
    await waitFor('the join', () => joined);
    const reader = new FrameReader();
    let answers = 0;
    for (let call = 2; call < 100; call++) {
      line.write(frameOf([call, 'outcome', 'a', {}]));
      // One by one: calls that come in one piece are all read.
      await waitFor(`call ${call}`, () => calls === call - 1 || keepers.isPaused());
    }
    expect(calls).toBeLessThan(20);
    line.on('data', (chunk: Buffer) => (answers += reader.read(chunk).length));
    await waitFor('all answers', () => answers === 99);
    line.destroy();
    await served;
  });
});

test('a record that is damaged is reported to who reads, and the others are given', async () => {
  const damaged = Object.assign(new Error('the record is damaged'), { code: 'ERR_QUEUE_CORRUPT' });
  const outcomesAfter: TaskQueue['outcomesAfter'] = async (cursor, choice) => {
    if (choice?.onDamaged === undefined) throw damaged;
    choice.onDamaged(damaged as never);
    return { outcomes: cursor === 0 ? [{ ordinal: 2, id: 'a' } as never] : [], cursor: 2 };
  };
  const { queue } = await new KeptStore(tempDir(), async () => storeOf({ outcomesAfter })).join();
  onTestFinished(() => queue.close());
  const heard: Error[] = [];
  const outcomes = await all(queue.outcomes({ onDamaged: (error) => heard.push(error) }));
  expect(outcomes).toMatchObject([{ ordinal: 2 }]);
  expect(heard).toMatchObject([{ code: 'ERR_QUEUE_CORRUPT' }, { code: 'ERR_QUEUE_CORRUPT' }]);
  await expect(queue.outcomesAfter(0)).rejects.toMatchObject({ code: 'ERR_QUEUE_CORRUPT' });
});
