import { expect, onTestFinished, test, vi } from 'vitest';
import { GroupCommit } from '../../../../dist/system/sqlite/group-commit.js';
import { waitFor } from '../../../support/wait-for.js';

class Trouble extends Error {}

/** What waits for a timer waits for ever. */
function noTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A store that is a list of numbers; its commits fail as often as they are told to. */
function numberStore() {
  const store = {
    numbers: [] as number[],
    transactions: 0,
    commits: 0,
    failCommits: [] as Error[],
    brokenBy: undefined as unknown,
    parts: [] as number[][],
    begin() {
      store.parts.push([...store.numbers]);
      store.transactions += 1;
    },
    undo() {
      store.numbers = store.parts.pop()!;
    },
    commit() {
      const failure = store.failCommits.shift();
      if (failure !== undefined) throw failure;
      store.parts = [];
      store.commits += 1;
    },
    rollBack() {
      store.numbers = store.parts[0] ?? store.numbers;
      store.parts = [];
    },
    isTrouble: (error: unknown) => error instanceof Trouble,
    onBroken: (error: unknown) => (store.brokenBy = error),
  };
  const group = new GroupCommit(store);
  const push = (number: number): Promise<number> => group.run(() => store.numbers.push(number));
  return { store, group, push };
}

test('calls of one turn share a transaction, those of its microtasks as well', async () => {
  const { store, push } = numberStore();
  const late = Promise.resolve().then(() => Promise.resolve().then(() => push(3)));
  expect(await Promise.all([push(1), push(2), late])).toEqual([1, 2, 3]);
  expect(store).toMatchObject({ numbers: [1, 2, 3], transactions: 1 });
});

test('no call resolves before its commit', async () => {
  const { store, group, push } = numberStore();
  const pushed = push(1);
  await Promise.resolve();
  expect(store.transactions).toBe(0);
  await group.idle();
  expect(store.numbers).toEqual([1]);
  await pushed;
});

test('a call at fault is refused, and the others end as if they had come one by one', async () => {
  const { store, group, push } = numberStore();
  const fault = new Error('only with three numbers');
  const refusing = (): Promise<void> =>
    group.run(() => {
      store.numbers.push(99);
      if (store.numbers.length === 3) throw fault;
    });
  const results = await Promise.allSettled([push(1), push(2), refusing(), refusing(), push(4), refusing()]);
  expect(results.map((result) => ('value' in result ? result.value : result.reason))).toEqual([
    1,
    2,
    fault,
    fault,
    3,
    undefined,
  ]);
  expect(store).toMatchObject({ numbers: [1, 2, 4, 99], transactions: 3 });
});

test.each([new Trouble('the disk'), new Error('anything')])(
  'when the commit fails (%s), none of its calls is done',
  async (error) => {
    const { store, push } = numberStore();
    store.failCommits.push(error);
    const results = await Promise.allSettled([push(1), push(2)]);
    expect(results).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    expect(store).toMatchObject({ numbers: [], transactions: 1 });
    expect(await push(3)).toBe(1);
  },
);

test("a call that meets the store's trouble is not made scapegoat: the group fails at once", async () => {
  const { store, group, push } = numberStore();
  const trouble = new Trouble('the disk');
  const meeting = group.run(() => {
    throw trouble;
  });
  const results = await Promise.allSettled([push(1), meeting, push(2)]);
  expect(results.map((result) => 'reason' in result && result.reason)).toEqual([trouble, trouble, trouble]);
  expect(store).toMatchObject({ numbers: [], transactions: 1 });
});

test('what can wait is answered at once, shares the commit of the next call that cannot, and does not wait for ever', async () => {
  const { store, group, push } = numberStore();
  noTimers();
  expect(await group.run(() => store.numbers.push(1), 'applied')).toBe(1);
  await turn();
  expect(store).toMatchObject({ numbers: [1], commits: 0 });
  expect(await push(2)).toBe(2);
  expect(store).toMatchObject({ numbers: [1, 2], commits: 1 });
  vi.useRealTimers();
  await group.run(() => store.numbers.push(3), 'applied');
  await waitFor('the commit', () => store.commits === 2);
});

test('whoever asks for all to be written waits for no more than that', async () => {
  const { store, group } = numberStore();
  noTimers();
  for (const before of [async () => {}, turn]) {
    void group.run(() => store.numbers.push(1), 'applied');
    await before();
    await group.idle();
    expect(store.parts).toEqual([]);
  }
  expect(store.commits).toBe(2);
});

test('beside a call that cannot wait it waits as well: calls resolve in their order', async () => {
  const { store, group, push } = numberStore();
  const pushed = push(1);
  expect(await group.run(() => store.numbers.length, 'applied')).toBe(1);
  expect(store).toMatchObject({ transactions: 1, commits: 1, brokenBy: undefined });
  await pushed;
});

test('a fault in a later part undoes that part alone', async () => {
  const { store, group, push } = numberStore();
  noTimers();
  const first = group.run(() => store.numbers.push(1), 'applied');
  await turn();
  const fault = new Error('at fault');
  const refusing = group.run(() => {
    store.numbers.push(99);
    throw fault;
  });
  const results = await Promise.allSettled([first, push(2), refusing, push(3)]);
  expect(results.map((result) => ('value' in result ? result.value : result.reason))).toEqual([1, 2, fault, 3]);
  expect(store).toMatchObject({ numbers: [1, 2, 3], commits: 1 });
});

test('a commit that fails undoes all parts, and who was answered already is told', async () => {
  const { store, group, push } = numberStore();
  const trouble = new Trouble('the disk');
  noTimers();
  await group.run(() => store.numbers.push(1), 'applied');
  store.failCommits.push(trouble);
  await expect(push(2)).rejects.toBe(trouble);
  expect(store).toMatchObject({ numbers: [], brokenBy: trouble });
  expect(await push(3)).toBe(1);
});
