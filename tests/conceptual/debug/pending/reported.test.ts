import { describe, expect, test } from 'vitest';
import { pendingText } from '../../../../dist/debug/pending/pending-text.js';
import { Told } from '../../../../dist/debug/pending/reported.js';
import type { LeftPending } from '../../../../dist/debug/pending/pending-functions.js';
import type { AwaitBranch, Leaf } from '../../../../dist/debug/inspection.js';
import { branch } from '../../../support/inspections.js';

function left(awaits: AwaitBranch[], changes: Partial<LeftPending> = {}): LeftPending {
  return { threadId: 0, label: 'main', awaits, openStreams: [], unknown: undefined, ...changes };
}

const leaf = (kind: Leaf['kind'], what: string): AwaitBranch['leaves'] => [{ kind, what, count: 1, via: [] }];

/** What is told at one call after the other, of what is left at each. */
function toldOf(...calls: LeftPending[][]): { text: string; count: number; toldBefore: number }[] {
  const told = new Told();
  return calls.map((all) => {
    const { left: untold, count, toldBefore } = told.untold(all);
    if (untold.length > 0) told.add(all);
    return { text: pendingText(untold), count, toldBefore };
  });
}

const counts = (...calls: LeftPending[][]) => toldOf(...calls).map(({ count }) => count);

describe('what was left pending and told', () => {
  test('is not told again, wherever it waits by then, and for whatever', () => {
    const moved = { at: { file: '/app/work.js', line: 90, column: 1 }, leaves: leaf('timer', 'timer, due in 3s') };
    expect(counts([left([branch('poll')])], [left([branch('poll')])], [left([branch('poll', moved)])])).toEqual([
      1, 0, 0,
    ]);
  });

  test('makes those like it count that are beyond it, which tell how many were told', () => {
    const polls = (count: number) => [left([branch('poll', { count })])];
    expect(toldOf(polls(2), polls(5), polls(5), polls(6)).map(({ count, toldBefore }) => [count, toldBefore])).toEqual([
      [2, 0],
      [3, 2],
      [0, 0],
      [1, 5],
    ]);
  });

  test('is forgotten once it has ended: the next one like it is another', () => {
    const polls = (count: number) => [left([branch('poll', { count })])];
    expect(counts(polls(3), polls(1), polls(2))).toEqual([3, 0, 1]);
    expect(counts(polls(1), [], polls(1))).toEqual([1, 0, 1]);
  });

  test('is told from one like it by what they wait for', () => {
    const [due, dueSoon] = ['9s', '1s'].map((time) =>
      branch('wait', { leaves: leaf('timer', `timer, due in ${time}`) }),
    );
    const socket = branch('wait', { leaves: leaf('socket', 'socket to 10.0.0.1:80') });
    const [, second] = toldOf([left([due!])], [left([socket, dueSoon!])]);
    expect(second).toMatchObject({ count: 1, toldBefore: 0, text: expect.stringContaining('socket') });
    expect(second!.text).not.toContain('timer');
  });

  test('is of its thread, and of its place', () => {
    const elsewhere = { definedAt: { file: '/app/other.js', line: 1, column: 1 } };
    expect(counts([left([branch('poll')])], [left([branch('poll')]), left([branch('poll')], { threadId: 3 })])).toEqual(
      [1, 1],
    );
    expect(counts([left([branch('poll')])], [left([branch('poll', elsewhere)])])).toEqual([1, 1]);
  });

  test('of tasks is known by id and attempt', () => {
    const runs = (...ids: [string, number][]) => [
      left([
        branch('run', {
          count: ids.length,
          tasks: ids.map(([id, attempt]) => ({ id, attempt, handler: 'h', ageMs: 1 })),
        }),
      ]),
    ];
    expect(counts(runs(['a', 1]), runs(['a', 1]), runs(['b', 1]), runs(['b', 1], ['a', 1]), runs(['a', 2]))).toEqual([
      1, 0, 1, 1, 1,
    ]);
  });

  test('is kept in mind while its thread cannot be seen, which is told each time', () => {
    const unseen = left([], { unknown: 'it is in native code' });
    const calls = toldOf([left([branch('poll')])], [unseen], [unseen], [left([branch('poll')])]);
    expect(calls.map(({ text }) => text.split('\n').at(-1))).toEqual([
      expect.stringContaining('poll'),
      '└─ it is in native code',
      '└─ it is in native code',
      '',
    ]);
  });
});
