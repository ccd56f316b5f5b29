/** What becomes of the tasks that a dead executor left running: the culprit is found, the innocent go free. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { idOf } from '../../../../../dist/runtime/queue/generated-id.js';
import { openSqliteQueue } from '../../../../../dist/runtime/queue/sqlite/sqlite-queue.js';
import type { PreviousDeath, Recovery, TaskQueue } from '../../../../../dist/runtime/queue/contract.js';
import { aTask } from '../../../../support/queue-tasks.js';
import { tempDir } from '../../../../support/temp-dir.js';

/** A run through the deaths of its executors. */
class Run {
  queue!: TaskQueue;
  readonly #path = join(tempDir(), 'queue.db');

  static async of(...ids: string[]): Promise<Run> {
    const run = new Run();
    run.queue = await openSqliteQueue(run.#path);
    onTestFinished(() => run.queue.close());
    await run.queue.add(ids.map((id) => aTask({ id })));
    return run;
  }

  async dies(previous: PreviousDeath, maxCrashes = 3): Promise<Recovery> {
    const dead = this.queue;
    this.queue = await openSqliteQueue(this.#path);
    await dead.close();
    return this.queue.recover({ member: this.queue.predecessor, death: previous }, maxCrashes);
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
