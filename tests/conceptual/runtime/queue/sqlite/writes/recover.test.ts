/** What becomes of the tasks that a dead executor left running: the culprit is found, the innocent go free. */
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { idOf } from '../../../../../../dist/runtime/queue/generated-id.js';
import { openSqliteStore } from '../../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import type {
  ClaimedTask,
  PreviousDeath,
  QueueStore,
  Recovery,
  TaskQueue,
} from '../../../../../../dist/runtime/queue/contract.js';
import { aTask, done } from '../../../../../support/queue-tasks.js';
import { tempDir } from '../../../../../support/temp-dir.js';

/** A run through the deaths of its executors. */
class Run {
  queue!: TaskQueue;
  #store!: QueueStore;
  readonly #path = join(tempDir(), 'queue.db');

  static async of(...ids: string[]): Promise<Run> {
    const run = new Run();
    await run.#open();
    onTestFinished(() => run.queue.close());
    await run.queue.add(ids.map((id) => aTask({ id })));
    return run;
  }

  async dies(previous: PreviousDeath, maxCrashes = 3): Promise<Recovery> {
    await this.#store.left();
    this.queue = await this.#store.join();
    return this.#recover(previous, maxCrashes);
  }

  /** Nobody is left who knows what was claimed. */
  async diesWithKeeper(previous: PreviousDeath, maxCrashes = 3): Promise<Recovery> {
    const dead = this.queue;
    await dead.check(); // a write under way would end with its process
    onTestFinished(() => dead.close());
    await this.#open();
    return this.#recover(previous, maxCrashes);
  }

  async #open(): Promise<void> {
    this.#store = await openSqliteStore(this.#path);
    this.queue = await this.#store.join();
  }

  #recover(death: PreviousDeath, maxCrashes: number): Promise<Recovery> {
    return this.queue.recover({ member: this.queue.predecessor, death }, maxCrashes);
  }

  async claims(limit = 9): Promise<string[]> {
    return (await this.queue.claim(limit, 0)).map(idOf);
  }
}

test('tasks in company when the executor crashed are all tried alone, charged with nothing', async () => {
  const run = await Run.of('a', 'b', 'c');
  await run.claims(2);
  expect(await run.dies('crashed')).toEqual({ interrupted: 2, suspects: 2, crashed: [] });
  expect(await run.claims()).toEqual(['c']);
  expect(await run.queue.claimSuspect()).toMatchObject({ id: 'a', attempts: 0, crashes: 0 });
});

test.each(['killed', 'unseen'] as const)(
  'in company when it was %s, they go free once, and not twice',
  async (death) => {
    const run = await Run.of('a', 'b');
    await run.claims();
    expect(await run.dies(death)).toEqual({ interrupted: 2, suspects: 0, crashed: [] });
    expect(await run.claims()).toEqual(['a', 'b']);
    expect(await run.dies(death)).toEqual({ interrupted: 2, suspects: 2, crashed: [] });
    expect(await run.claims()).toEqual([]);
    expect(await run.queue.claimSuspect()).toMatchObject({ id: 'a', crashes: 0 });
  },
);

test.each(['killed', 'crashed'] as const)(
  'a suspect that runs when it was %s is charged, up to maxCrashes',
  async (death) => {
    const run = await Run.of('culprit', 'innocent');
    await run.claims();
    await run.dies('crashed');
    for (const crashes of [1, 2]) {
      expect(await run.queue.claimSuspect()).toMatchObject({ id: 'culprit', crashes: crashes - 1 });
      expect(await run.dies(death)).toEqual({ interrupted: 1, suspects: 1, crashed: [] });
    }
    await run.queue.claimSuspect();
    const { interrupted, suspects, crashed } = await run.dies(death);
    expect({ interrupted, suspects }).toEqual({ interrupted: 1, suspects: 0 });
    const outcome = {
      ordinal: 1,
      id: 'culprit',
      handler: 'handle',
      state: 'crashed',
      attempts: 0,
      crashes: 3,
      error: expect.objectContaining({ code: 'ERR_TASK_CRASHED', message: expect.stringContaining('3') as string }),
      startedAt: null,
      durationMs: 0,
      thread: null,
      earlierAttempts: [1, 2].map((crashes) => ({
        attempt: 1,
        state: 'crashed',
        error: expect.objectContaining({ message: expect.stringContaining(`crashes: ${crashes}`) as string }),
        startedAt: null,
        durationMs: 0,
        thread: null,
      })),
    };
    expect(crashed).toEqual([outcome]);
    expect(await run.queue.outcome('culprit')).toEqual(outcome);
    expect(await run.queue.claimSuspect()).toMatchObject({ id: 'innocent', crashes: 0 });
  },
);

test('a suspect is charged even if it was not quite alone, its company is not', async () => {
  const run = await Run.of('a', 'b', 'c');
  await run.claims(2);
  await run.dies('crashed');
  await run.queue.claimSuspect();
  await run.claims();
  expect(await run.dies('killed')).toEqual({ interrupted: 2, suspects: 1, crashed: [] });
  expect(await run.queue.claim(9, 0)).toMatchObject([{ id: 'c', crashes: 0 }]);
  expect(await run.queue.claimSuspect()).toMatchObject({ id: 'a', crashes: 1 });
});

test('a task that happened to be the only one is charged like a suspect', async () => {
  const run = await Run.of('a');
  await run.claims();
  expect(await run.dies('killed', 2)).toEqual({ interrupted: 1, suspects: 1, crashed: [] });
  await run.queue.claimSuspect();
  expect((await run.dies('crashed', 2)).crashed).toMatchObject([{ id: 'a', crashes: 2 }]);
});

test('when nobody saw the death, nobody is charged, and a suspect stays one', async () => {
  const run = await Run.of('a', 'b');
  await run.claims();
  await run.dies('crashed');
  await run.queue.claimSuspect();
  expect(await run.dies('unseen', 1)).toEqual({ interrupted: 1, suspects: 1, crashed: [] });
  expect(await run.queue.claimSuspect()).toMatchObject({ id: 'a', crashes: 0 });

  const other = await Run.of('only');
  await other.claims();
  expect(await other.dies('unseen', 1)).toEqual({ interrupted: 1, suspects: 0, crashed: [] });
  expect(await other.claims()).toEqual(['only']);
});

test.each([
  ['released', { kind: 'release' as const }],
  ['to be retried', { kind: 'retry' as const, attempts: 1, crashes: 0, runAt: 0, earlier: [] }],
])('a suspect that survived and was %s is one among others again', async (_, settlement) => {
  const run = await Run.of('a', 'b');
  await run.claims(1);
  await run.dies('crashed');
  const suspect = (await run.queue.claimSuspect())!;
  await run.queue.settle([{ ...settlement, claim: suspect }]);
  expect(await run.claims()).toEqual(['a', 'b']);
  expect(await run.dies('killed', 1)).toEqual({ interrupted: 2, suspects: 0, crashed: [] });
});

test('a retried task has the benefit of the doubt anew', async () => {
  const run = await Run.of('a', 'b');
  await run.claims();
  await run.dies('killed');
  await run.queue.cancel('a');
  await run.queue.cancel('b');
  await run.queue.retry(['cancelled']);
  await run.claims();
  expect(await run.dies('killed')).toMatchObject({ interrupted: 2, suspects: 0 });
});

test('what this executor runs itself is no concern of its recovery', async () => {
  const run = await Run.of('a', 'b', 'c');
  await run.claims(1);
  await run.dies('unseen');
  await run.claims(2);
  const { member, predecessor } = run.queue;
  for (const gone of [predecessor, member, member + 1]) {
    const recovery = await run.queue.recover({ member: gone, death: 'crashed' }, 1);
    expect(recovery).toEqual({ interrupted: 0, suspects: 0, crashed: [] });
  }
  expect(await run.queue.counts()).toMatchObject({ running: 2, queued: 1 });
});

test('with its keeper gone as well, nobody is charged for a claim that nobody noted', async () => {
  const run = await Run.of('a', 'b', 'c');
  await run.claims(2);
  expect(await run.diesWithKeeper('killed')).toEqual({ interrupted: 0, suspects: 0, crashed: [] });
  expect(await run.queue.counts()).toMatchObject({ queued: 3, running: 0 });
  expect(await run.claims()).toEqual(['a', 'b', 'c']);
});

test('what has run for a second is noted, and keeps its rule', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const run = await Run.of('long', 'short');
  await run.claims(1);
  vi.advanceTimersByTime(2000);
  await run.claims(1);
  await run.queue.check();
  expect(await run.queue.counts()).toMatchObject({ queued: 0, running: 2 });
  expect(await run.diesWithKeeper('killed')).toEqual({ interrupted: 2, suspects: 1, crashed: [] });
  expect(await run.claims()).toEqual(['short']);
  expect(await run.queue.claimSuspect()).toMatchObject({ id: 'long', crashes: 1 });
});

test('a task that was noted ends as any other', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const run = await Run.of('a', 'b', 'c');
  const claimed = await run.queue.claim(3, 0);
  vi.advanceTimersByTime(2000);
  await run.queue.check();
  const [a, b, c] = claimed as [ClaimedTask, ClaimedTask, ClaimedTask];
  expect(await run.queue.settle([done(a), { kind: 'release', claim: b }, { kind: 'suspect', claim: c }])).toEqual({
    ordinals: [1],
    refused: [],
  });
  expect(await run.queue.counts()).toMatchObject({ done: 1, queued: 2, running: 0 });
  expect(await run.claims()).toEqual(['b']);
  expect(await run.queue.claimSuspect()).toMatchObject({ id: 'c' });
});
