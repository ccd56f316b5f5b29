import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  exitCodeOf,
  formatSummary,
  summaryDocument,
  type RunSummary,
  type SummaryWords,
} from '../../../../../dist/cli/run/job/summary.js';
import type { Outcome, TaskCounts } from '../../../../../dist/runtime/task/task.js';

const none: TaskCounts = {
  queued: 0,
  delayed: 0,
  running: 0,
  done: 0,
  failed: 0,
  crashed: 0,
  'timed-out': 0,
  cancelled: 0,
};

const failure = (id: string, error?: Outcome['error']): Outcome => ({
  id,
  handler: 'h',
  state: 'failed',
  attempts: 1,
  crashes: 0,
  ...(error && { error }),
  startedAt: 1,
  durationMs: 1,
  thread: 1,
});

const summary: RunSummary = {
  runId: 'demo',
  counts: { ...none, done: 1_200, failed: 7, 'timed-out': 9, queued: 2 },
  absent: 0,
  before: 216,
  elapsedMs: 2_000,
  taskMs: { p50: 0.42, p95: 12.34, p99: 1_530, max: 61_000 },
  busy: 0.934,
  threads: 2,
  crashes: 1,
  restarts: 2,
  failures: ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => failure(id, { name: 'Error', message: `no ${id}` })),
};

const words: SummaryWords = {
  color: false,
  dir: resolve('.runtime'),
  outlivesProcess: true,
  whole: true,
  fresh: false,
};
const told = (change: Partial<RunSummary> = {}, how: Partial<SummaryWords> = {}) =>
  formatSummary({ ...summary, ...change }, { ...words, ...how });
const next = (change: Partial<RunSummary>, how: Partial<SummaryWords> = {}) =>
  told(change, how)
    .split('\n')
    .filter((line) => line.startsWith('next'))
    .map((line) => line.slice(11));

test('the exit code is 0 only if all of the input was taken and every task of the run is done, else 3', () => {
  const counts = fc.record(Object.fromEntries(Object.keys(none).map((state) => [state, fc.nat(2)])));
  fc.assert(
    fc.property(counts, (given) => {
      const all = given as unknown as TaskCounts;
      const others = Object.entries(all).some(([state, count]) => state !== 'done' && count > 0);
      expect(exitCodeOf(all, true)).toBe(others ? 3 : 0);
      expect(exitCodeOf(all, false)).toBe(3);
    }),
  );
});

describe('the closing words', () => {
  test('tell counts, speed, times, threads and trouble, and where the other failures are', () => {
    expect(told()).toBe(
      [
        'run        demo',
        'tasks      1,200 done, 7 failed, 9 timed-out, 2 queued',
        'before     216 had ended before this start',
        'elapsed    2s, 500/s',
        'task time  p50 0.42ms, p95 12.3ms, p99 1.5s, max 1m 1s',
        'threads    2, busy 93% of the time',
        'trouble    1 crash, 2 restarts',
        '  failed a: no a',
        '  failed b: no b',
        '  failed c: no c',
        '  failed d: no d',
        '  failed e: no e',
        'next       all that did not end done: runtime results demo --state not-done',
        'next       the same command goes on with the 2 left',
        'next       the same command with --retry-failed tries 16 again',
        '',
      ].join('\n'),
    );
  });

  test('leave out what there is nothing to tell of', () => {
    const quiet = { before: 0, taskMs: undefined, crashes: 0, restarts: 0, failures: [] };
    expect(told({ ...quiet, counts: { ...none, done: 3 }, elapsedMs: 1_000 })).toBe(
      'run        demo\ntasks      3 done\nelapsed    1s, 3/s\nthreads    2, busy 93% of the time\n',
    );
    expect(told({ ...quiet, counts: none, elapsedMs: 0 })).toBe('run        demo\ntasks      none\nelapsed    0ms\n');
  });

  test('do not take a time below the clock for none', () => {
    expect(told({ taskMs: { p50: 0.001, p95: 0.009, p99: 0.01, max: 2 } })).toContain(
      'p50 <0.01ms, p95 <0.01ms, p99 0.01ms, max 2ms',
    );
  });

  test('point to the results only where not every failure is shown', () => {
    const one = { counts: { ...none, failed: 1 }, failures: [failure('a')], before: 0 };
    expect(told(one)).toContain('tasks      1 failed\n');
    expect(told(one)).toContain('  failed a\n');
    expect(next(one)).toEqual(['the same command with --retry-failed tries 1 again']);
    expect(next({ ...one, failures: [] })[0]).toBe('all that did not end done: runtime results demo --state not-done');
  });

  test('say what the same command will do', () => {
    const counts = { ...none, done: 5 };
    expect(next({ counts, before: 0 })).toEqual([]);
    expect(next({ counts, before: 5 })).toEqual(['nothing was left to do: the same command with --fresh starts over']);
    expect(told({ counts, before: 5 })).toContain('before     all 5 had ended before this start\nelapsed    2s\n');
    expect(next({ counts: { ...counts, queued: 1_000, running: 1 }, before: 0 }, { whole: false })).toEqual([
      'the same command goes on with the 1,001 left',
    ]);
    expect(next({ counts, before: 5 }, { whole: false })).toEqual([
      'the same command, with the same input, goes on where this one stopped',
    ]);
    expect(next({ counts: { ...counts, queued: 4 }, absent: 3, before: 5 })).toEqual([
      'the same command goes on with the 1 left',
      'the same command with --keep-queued runs the 3 that are not in its input',
    ]);
    expect(next({ counts: { ...counts, queued: 1, failed: 1 }, failures: [failure('a')] }, { fresh: true })).toEqual([
      'the same command without --fresh goes on with the 1 left',
      'the same command without --fresh with --retry-failed tries 1 again',
    ]);
    expect(next({ counts: { ...counts, failed: 1 }, before: 0 }, { outlivesProcess: false })).toEqual([]);
    expect(next({ counts: { ...counts, queued: 1 } }, { outlivesProcess: false })).toEqual([
      'the queue was in memory: the same command starts over',
    ]);
  });

  test.each([
    ['state', ' --dir state'],
    ['.', ' --dir .'],
    ["my 'own' state", String.raw` --dir 'my '\''own'\'' state'`],
    ['/elsewhere/state', ' --dir /elsewhere/state'],
    ['.runtime', ''],
  ])('name the state folder %s in a command only if it must be typed', (dir, flag) => {
    vi.stubEnv('RUNTIME_DIR', '');
    expect(next({ failures: [] }, { dir: resolve(dir) })[0]).toBe(
      `all that did not end done: runtime results demo --state not-done${flag}`,
    );
    vi.unstubAllEnvs();
  });

  test('hold one short line of a failure, and nothing in it that steers the terminal', () => {
    const error = { name: 'Error', message: `a\u001b[2J\u009bb${'x'.repeat(300)}\nsecond line` };
    const line = told({ failures: [failure('i\u0007d', error)] })
      .split('\n')
      .find((each) => each.startsWith('  failed'))!;
    expect(line).toMatch(/^ {2}failed i\\u0007d: a\\u001b\[2J\\u009bbx+…$/);
    expect(line.length).toBeLessThan(230);
  });

  test('have colours only where they are wanted', () => {
    expect(told({}, { color: true })).toContain('\u001b[31m7 failed\u001b[0m');
    expect(told()).not.toContain('\u001b');
  });
});

test('the document is versioned, whole, and nothing but data', () => {
  const document = summaryDocument({
    ...summary,
    failures: [failure('a', { name: 'E', message: 'm', code: 'X', stack: 's' }), failure('b')],
  });
  expect(JSON.parse(JSON.stringify(document))).toEqual({
    schema: 1,
    runId: 'demo',
    counts: summary.counts,
    absent: 0,
    before: 216,
    elapsedMs: 2_000,
    perSecond: 500,
    taskMs: { p50: 0.42, p95: 12.34, p99: 1_530, max: 61_000 },
    busy: 0.934,
    threads: 2,
    crashes: 1,
    restarts: 2,
    failures: [
      { id: 'a', state: 'failed', error: { name: 'E', message: 'm', code: 'X' } },
      { id: 'b', state: 'failed', error: null },
    ],
  });
  expect(summaryDocument({ ...summary, taskMs: undefined }).taskMs).toBeNull();
});
