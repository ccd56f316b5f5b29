import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  inShort,
  packAdded,
  packClaimed,
  packSettled,
  packSettlements,
  packTasks,
  unpackAdded,
  unpackClaimed,
  unpackSettled,
  unpackSettlements,
  unpackTasks,
} from '../../../../../dist/runtime/queue/keeper/batches.js';
import { FrameReader, frameOf } from '../../../../../dist/runtime/queue/keeper/frames.js';
import type { ClaimedTask, Settlement } from '../../../../../dist/runtime/queue/contract.js';
import { aTask } from '../../../../support/queue-tasks.js';
import type { EarlierAttempt, NewTask, TaskErrorRecord } from '../../../../../dist/runtime/task/task.js';

function passed<T>(value: T): T {
  return new FrameReader().read(frameOf(value))[0] as T;
}

const encoded = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array());
const seldom = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const seq = fc.integer({ min: 1, max: 1e6 });
const task: fc.Arbitrary<NewTask> = fc.record({
  id: seldom(fc.string()),
  handler: fc.constantFrom('one', 'one', 'two'),
  input: encoded,
  priority: fc.constantFrom(0, 0, 0, 1),
  timeoutMs: seldom(fc.double({ min: 0.1, max: 1e6, noNaN: true })),
  retries: seldom(fc.nat(5)),
});
const error: fc.Arbitrary<TaskErrorRecord> = fc.record({
  name: fc.string(),
  message: fc.string({ unit: 'binary' }),
  fields: fc.constant({ errno: 3 }),
});
const charge = { attempts: fc.nat(3), crashes: fc.nat(1) };
const claim = fc.record({ seq, token: fc.constantFrom(1, 2) });
const outcome: fc.Arbitrary<Settlement> = fc.record({
  kind: fc.constant('outcome' as const),
  claim,
  state: fc.constantFrom('done' as const, 'done' as const, 'failed' as const),
  ...charge,
  result: seldom(encoded),
  error: seldom(error),
  startedAt: fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: null }),
  durationMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  thread: fc.option(seq, { nil: null }),
  version: seldom(fc.constant('aaaaaaaaaaaa')),
});
const other: fc.Arbitrary<Settlement> = fc.oneof(
  fc.record({ kind: fc.constantFrom('release' as const, 'suspect' as const), claim }),
  fc.record({
    kind: fc.constant('retry' as const),
    claim,
    ...charge,
    runAt: fc.nat(),
    earlier: fc.constant([] as EarlierAttempt[]),
  }),
);

test('tasks pass unchanged', () => {
  fc.assert(
    fc.property(fc.array(task), (tasks) => {
      expect(unpackTasks(passed(packTasks(tasks)))).toEqual(tasks);
    }),
  );
});

test('settlements pass unchanged, of a claimed task its claim alone', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(outcome), fc.array(fc.oneof(outcome, other))), (settlements) => {
      const ofTasks = settlements.map((one) => ({ ...one, claim: { ...one.claim, input: 'large' } }));
      expect(unpackSettlements(passed(packSettlements(ofTasks)))).toEqual(settlements);
    }),
  );
});

test('what became of added tasks is known by those who added them', () => {
  const status = fc.constantFrom('added' as const, 'added' as const, 'duplicate' as const, 'conflict' as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(task, seq, status)), fc.boolean(), (rows, isRun) => {
      const tasks = rows.map(([each]) => each);
      const added = rows.map(([{ id }, given, each], index) => {
        const number = isRun ? 7 + index : given;
        return { seq: number, id: id ?? `#${number}`, status: each };
      });
      expect(unpackAdded(passed(packAdded(added)), tasks)).toEqual(added);
    }),
  );
});

test('what there is to tell of new tasks without an id is the number of the first', () => {
  const none = [aTask(), aTask()];
  expect(inShort(passed(packAdded({ first: 7 })), none)).toEqual({ first: 7 });
  const added = (status: 'added' | 'duplicate') => [7, 8].map((seq) => ({ seq, id: `#${seq}`, status }));
  expect(inShort(passed(packAdded(added('added'))), none)).toEqual({ first: 7 });
  expect(inShort(passed(packAdded(added('duplicate'))), none)).toBeUndefined();
  expect(inShort(passed(packAdded(added('added'))), [aTask(), aTask({ id: 'a' })])).toBeUndefined();
  expect(inShort(passed(packAdded(added('added').toReversed())), none)).toBeUndefined();
});

test('claimed tasks come in their order, those that are kept as they are kept', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(task, fc.boolean(), claim)), (rows) => {
      const kept = new Map<number, NewTask>();
      const tasks = rows.map(([given, isKept, { token }], index): ClaimedTask => {
        if (isKept) kept.set(index + 1, given);
        const earlier = isKept ? undefined : [];
        return { ...given, seq: index + 1, token, attempts: isKept ? 0 : 2, crashes: 0, earlier };
      });
      const packed = passed(packClaimed(tasks, ({ seq: number }) => kept.has(number)));
      expect(packed.others.seqs).toHaveLength(tasks.length - kept.size);
      expect(unpackClaimed(packed, (number) => kept.get(number)!)).toEqual(tasks);
    }),
  );
});

test('who settles is told of its own settlements which were refused', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(outcome, fc.boolean())), fc.nat(), fc.boolean(), (rows, first, isRun) => {
      const settlements = rows.map(([one]) => one);
      const refused = settlements.filter((_, index) => rows[index]![1]);
      const ordinals = settlements.slice(refused.length).map((_, index) => first + (isRun ? index : index * index));
      const heard = unpackSettled(passed(packSettled({ ordinals, refused }, settlements)), settlements);
      expect(heard.ordinals).toEqual(ordinals);
      expect(heard.refused.every((one, index) => one === refused[index])).toBe(true);
      expect(heard.refused).toHaveLength(refused.length);
    }),
  );
});
