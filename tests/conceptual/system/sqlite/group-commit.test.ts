import { expect, test } from 'vitest';
import { GroupCommit } from '../../../../dist/system/sqlite/group-commit.js';

class Trouble extends Error {}

/** A store that is a list of numbers; its commits fail as often as they are told to. */
function numberStore() {
  const store = { numbers: [] as number[], transactions: 0, failCommits: [] as Error[] };
  const group = new GroupCommit({
    transact: (body) => {
      const before = [...store.numbers];
      store.transactions += 1;
      try {
        body();
        const failure = store.failCommits.shift();
        if (failure !== undefined) throw failure;
      } catch (error) {
        store.numbers = before;
        throw error;
      }
    },
    isStoreTrouble: (error) => error instanceof Trouble,
  });
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
