import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { History } from '../../../../dist/debug/trace/history.js';
import type { AwaitBranch } from '../../../../dist/debug/inspection.js';
import { branch, inspectionAt, threadWith } from '../../../support/inspections.js';

/** What is told of the last of several dumps, ten seconds apart, each of one thread. */
function afterDumps(...dumps: AwaitBranch[][]) {
  const history = new History();
  let told: ReturnType<History['add']> = { standing: [], growing: [] };
  for (const [index, awaits] of dumps.entries()) told = history.add(inspectionAt(index * 10, threadWith(awaits)));
  return told;
}

const standing = (...dumps: AwaitBranch[][]) =>
  afterDumps(...dumps).standing.map(({ path, ageMs, atLeast }) => [path.join(' › '), ageMs / 1000, atLeast]);

const task = (id: string, attempt = 1) => ({ id, handler: 'work', attempt, ageMs: 1_000 });
const timer = (dueInMs: number) => ({ kind: 'timer' as const, count: 1, via: [], what: 'timer', dueInMs });

describe('what still stands', () => {
  test('is told with its age from the second dump on, and not of the first', () => {
    expect(standing([branch('read')])).toEqual([]);
    expect(standing([branch('read')], [branch('read')], [branch('read')])).toEqual([['read', 20, 1]]);
    expect(afterDumps([branch('read')], [branch('read')]).standing).toEqual([
      {
        threadId: 0,
        path: ['read'],
        at: { file: '/app/work.js', line: 5, column: 3 },
        since: '1970-01-01T00:00:00.000Z',
        ageMs: 10_000,
        count: 1,
        atLeast: 1,
      },
    ]);
  });

  test('what was away in between begins anew', () => {
    expect(standing([branch('read')], [], [branch('read')], [branch('read')])).toEqual([['read', 10, 1]]);
  });

  test('a chain is told once, by the innermost that has stood as long; what came later below it, for itself', () => {
    const chain = (...below: AwaitBranch[]) => [branch('serve', { children: below })];
    expect(standing(chain(branch('read')), chain(branch('read')))).toEqual([['serve › read', 10, 1]]);
    expect(standing(chain(), chain(branch('read')), chain(branch('read')))).toEqual([
      ['serve', 20, 1],
      ['serve › read', 10, 1],
    ]);
  });

  test('what stands at another await now has moved on, and what is below it with it', () => {
    const at = (line: number) => ({ at: { file: '/app/work.js', line, column: 3 }, children: [branch('read')] });
    expect(standing([branch('serve', at(5))], [branch('serve', at(6))])).toEqual([]);
    expect(standing([branch('serve', at(5))], [branch('serve', { ...at(5), at: null })])).toEqual([
      ['serve › read', 10, 1],
    ]);
  });

  test('of several, any one gives its place: they are told as so many at least', () => {
    const at = (count: number, line: number) => [branch('read', { count, at: { file: '/a.js', line, column: 1 } })];
    expect(standing(at(5, 1), at(3, 2), at(9, 1))).toEqual([['read', 20, 3]]);
  });

  test('what waits for another timer at the same await has come back to it', () => {
    const waits = (dueInMs: number) => [branch('poll', { leaves: [timer(dueInMs)] })];
    // Ten seconds later the same timer is due ten seconds sooner.
    expect(standing(waits(60_000), waits(50_000))).toEqual([['poll', 10, 1]]);
    expect(standing(waits(60_000), waits(59_000))).toEqual([]);
  });

  test('what an inspection tells apart by what it waits for alone is one', () => {
    const [reading, writing] = [branch('serve', { count: 2, children: [branch('read')] }), branch('serve')];
    expect(standing([reading, writing], [writing, reading])).toEqual([['serve › read', 10, 1]]);
    expect(afterDumps([reading, writing], [reading]).standing).toMatchObject([{ path: ['serve', 'read'] }]);
  });

  test('a task is known by its id and attempt: another one at the same place stands for itself', () => {
    const runs = (...tasks: ReturnType<typeof task>[]) => [
      branch('work', { count: tasks.length, tasks, children: [branch('read', { count: tasks.length })] }),
    ];
    expect(standing(runs(task('a')), runs(task('b')))).toEqual([]);
    expect(standing(runs(task('a')), runs(task('a', 2)))).toEqual([]);
    expect(afterDumps(runs(task('a')), runs(task('a'))).standing).toMatchObject([
      { path: ['task', 'read'], task: { id: 'a' } },
    ]);
    // Two of three are others: what is known of one is not said of all.
    expect(
      afterDumps(
        [branch('work', { count: 3, tasks: [task('a'), task('b'), task('c')] })],
        [branch('work', { count: 3, tasks: [task('a'), task('d'), task('e')] })],
      ).standing,
    ).toMatchObject([{ count: 3, atLeast: 1 }]);
    expect(standing(runs(task('a')), [branch('work')])).toEqual([]);
  });

  test('a thread that was not walked through has neither lost nor won anything; one that has ended is forgotten', () => {
    const history = new History();
    const read = [branch('read')];
    history.add(inspectionAt(0, threadWith(read)));
    expect(history.add(inspectionAt(10, threadWith([], { view: 'cheap', suspended: null }))).standing).toEqual([]);
    expect(history.add(inspectionAt(20, threadWith(read))).standing).toMatchObject([{ ageMs: 20_000 }]);
    history.add(inspectionAt(30));
    expect(history.add(inspectionAt(40, threadWith(read))).standing).toEqual([]);
  });

  test('threads are told apart; the oldest is told first', () => {
    const history = new History();
    const [one, two] = [1, 2].map(
      (threadId) =>
        (...names: string[]) =>
          threadWith(
            names.map((name) => branch(name)),
            { threadId },
          ),
    ) as [(...names: string[]) => ReturnType<typeof threadWith>, (...names: string[]) => ReturnType<typeof threadWith>];
    history.add(inspectionAt(0, one('read'), two()));
    history.add(inspectionAt(10, one('read'), two('read')));
    const { standing: told } = history.add(inspectionAt(20, one('read'), two('read')));
    expect(told.map(({ threadId, ageMs }) => [threadId, ageMs])).toEqual([
      [1, 20_000],
      [2, 10_000],
    ]);
  });

  test('is never said of more, nor for longer, than was there at each dump', () => {
    const counts = fc.array(fc.constantFrom(0, 0, 1, 2, 3, 7), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(counts, (row) => {
        const told = standing(...row.map((count) => (count === 0 ? [] : [branch('read', { count })])));
        const unbroken = row.slice(row.lastIndexOf(0) + 1);
        expect(told).toEqual(unbroken.length < 2 ? [] : [['read', (unbroken.length - 1) * 10, Math.min(...unbroken)]]);
      }),
    );
  });
});

describe('what grows', () => {
  test('is named when each of the last three dumps had more than the one before, with its numbers; until it grows no more', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(counts, (row) => {
        const { growing } = afterDumps(...row.map((count) => [branch('leak', { count })]));
        let from = row.length - 1;
        while (from > 0 && row[from - 1]! < row[from]!) from--;
        const rising = row.slice(from);
        const expected = { counts: rising, forMs: (rising.length - 1) * 10_000, path: ['leak'] };
        if (rising.length < 3) expect(growing).toEqual([]);
        else expect(growing).toMatchObject([expected]);
      }),
    );
  });

  test('of a long row, the last counts are told, and when it began', () => {
    const row = Array.from({ length: 30 }, (_, index) => [branch('leak', { count: index + 1 })]);
    const [leak] = afterDumps(...row).growing;
    expect(leak!.counts.at(-1)).toBe(30);
    expect(leak!.counts).toHaveLength(12);
    expect(leak!.since).toBe('1970-01-01T00:00:00.000Z');
  });

  test('is named where it grows: a chain once, by its innermost', () => {
    const grown = (count: number) => [branch('serve', { count, children: [branch('read', { count })] })];
    expect(afterDumps(grown(1), grown(2), grown(3)).growing.map(({ path }) => path)).toEqual([['serve', 'read']]);
    const fans = (count: number) => [branch('serve', { children: [branch('read', { count })] })];
    expect(afterDumps(fans(1), fans(2), fans(3)).growing.map(({ path }) => path)).toEqual([['serve', 'read']]);
    const roots = (count: number) => [branch('serve', { count, children: [branch('read')] })];
    expect(afterDumps(roots(1), roots(2), roots(3)).growing.map(({ path }) => path)).toEqual([['serve']]);
  });

  test('handles grow by their kind, whatever they are connected to, also where the heap was not looked at', () => {
    const history = new History();
    const socket = (peer: number) => ({ kind: 'socket', count: 1, what: `socket to :${peer}`, keepsAlive: true });
    const dump = (seconds: number, sockets: number) =>
      history.add(
        inspectionAt(
          seconds,
          threadWith([], {
            view: 'cheap',
            suspended: null,
            handles: Array.from({ length: sockets }, (_, peer) => socket(peer)),
          }),
        ),
      );
    dump(0, 1);
    dump(10, 2);
    expect(dump(20, 4).growing).toMatchObject([{ path: ['socket'], at: null, counts: [1, 2, 4] }]);
    expect(dump(30, 4).growing).toEqual([]);
  });
});
