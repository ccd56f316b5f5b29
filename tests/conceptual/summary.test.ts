import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exitCodeOf, formatSummary, summaryDocument, type RunSummary } from '../../dist/cli/summary.js';
import type { Outcome, TaskCounts } from '../../dist/runtime/task.js';

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
  before: 216,
  elapsedMs: 2_000,
  taskMs: { p50: 0.42, p95: 12.34, p99: 1_530 },
  busy: 0.934,
  threads: 2,
  crashes: 1,
  restarts: 2,
  failures: ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => failure(id, { name: 'Error', message: `no ${id}` })),
};

const told = (change: Partial<RunSummary> = {}) => formatSummary({ ...summary, ...change }, { color: false });

test('the exit code is 0 only if every task of the run is done, else 3', () => {
  const counts = fc.record(Object.fromEntries(Object.keys(none).map((state) => [state, fc.nat(2)])));
  fc.assert(
    fc.property(counts, (given) => {
      const all = given as unknown as TaskCounts;
      const others = Object.entries(all).some(([state, count]) => state !== 'done' && count > 0);
      expect(exitCodeOf(all)).toBe(others ? 3 : 0);
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
        'task time  p50 0.42ms, p95 12.3ms, p99 1.5s',
        'threads    2, busy 93% of the time',
        'trouble    1 crash, 2 restarts',
        '  failed a: no a',
        '  failed b: no b',
        '  failed c: no c',
        '  failed d: no d',
        '  failed e: no e',
        '  and 11 more: runtime results demo --state timed-out',
        '',
      ].join('\n'),
    );
  });

  test('leave out what there is nothing to tell of', () => {
    expect(
      told({ counts: { ...none, done: 3 }, before: 0, taskMs: undefined, crashes: 0, restarts: 0, failures: [], elapsedMs: 0 }),
    ).toBe('run        demo\ntasks      3 done\nelapsed    0ms, 0/s\nthreads    2, busy 93% of the time\n');
  });

  test('say nothing of others where every failure is shown', () => {
    const words = told({ counts: { ...none, failed: 1 }, failures: [failure('a')], before: 0 });
    expect(words).toContain('  failed a\n');
    expect(words).not.toContain('more');
    expect(words).toContain('0 done, 1 failed');
  });

  test('hold one short line of a failure, and nothing in it that steers the terminal', () => {
    const error = { name: 'Error', message: `a\u001b[2J\u009bb${'x'.repeat(300)}\nsecond line` };
    const line = told({ failures: [failure('i\u0007d', error)] })
      .split('\n')
      .find((each) => each.startsWith('  failed'))!;
    expect(line).toMatch(/^ {2}failed i\uFFFDd: a\uFFFD\[2J\uFFFDbx+…$/);
    expect(line.length).toBeLessThan(230);
  });

  test('have colours only where they are wanted', () => {
    expect(formatSummary(summary, { color: true })).toContain('\u001b[31m7 failed\u001b[0m');
    expect(told()).not.toContain('\u001b');
  });
});

test('the document is versioned, whole, and nothing but data', () => {
  const document = summaryDocument({ ...summary, failures: [failure('a', { name: 'E', message: 'm', code: 'X', stack: 's' }), failure('b')] });
  expect(JSON.parse(JSON.stringify(document))).toEqual({
    schema: 1,
    runId: 'demo',
    counts: summary.counts,
    before: 216,
    elapsedMs: 2_000,
    perSecond: 500,
    taskMs: { p50: 0.42, p95: 12.34, p99: 1_530 },
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
