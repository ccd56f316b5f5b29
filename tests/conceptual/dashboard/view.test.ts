/** The view of runs: data alone, made from what can be seen from outside. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Views } from '../../../dist/dashboard/view.js';
import type { RunView } from '../../../dist/runs/see-run.js';
import { runs } from '../../support/runs.js';

const NONE = { queued: 0, delayed: 0, running: 0, done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 };

function idle(runId: string, more: Partial<RunView> = {}): RunView {
  return { runId, state: 'idle', counts: null, holder: null, executor: null, lastSeen: null, problem: null, ...more };
}

interface Going {
  counts?: Partial<typeof NONE>;
  mode?: 'running' | 'paused' | 'failed';
  epoch?: number;
  settled?: number;
  elapsedMs?: number;
  health?: object;
  threads?: unknown[];
  error?: { code: string; message: string };
}

function going(runId: string, { counts, mode = 'running', epoch = 1, ...more }: Going): RunView {
  const { settled = 0, elapsedMs = 0, health, ...rest } = more;
  const all = { ...NONE, ...counts };
  const executor = {
    ...{ runId, mode, epoch, counts: all, nextDueMs: null, threads: [], statistics: { settled, elapsedMs } },
    health: { healthy: true, why: null, lastBeat: null, missedBeats: 0, lastError: null, ...health },
    ...rest,
  };
  return idle(runId, { state: mode, counts: all, executor } as unknown as Partial<RunView>);
}

const first = (views: Views, run: RunView, at: number) => views.next([run], at, at).runs[0]!;

describe('the tasks of a run', () => {
  test('are each counted once: they wait, run, were interrupted or have ended', () => {
    const count = fc.nat(1_000);
    const counts = fc.record({
      ...{ queued: count, delayed: count, running: count, done: count, failed: count, crashed: count },
      ...{ 'timed-out': count, cancelled: count },
    });
    fc.assert(
      fc.property(counts, fc.boolean(), (all, goesOn) => {
        const run = goesOn ? going('a', { counts: all }) : idle('a', { counts: all });
        const { total, ended, notDone, waiting, running, interrupted } = first(new Views('/s'), run, 1).tasks!;
        expect(waiting + running + interrupted + ended).toBe(total);
        expect(total).toBe(Object.values(all).reduce((sum, each) => sum + each, 0));
        expect(ended - notDone).toBe(all.done);
        expect(goesOn ? interrupted : running).toBe(0);
      }),
      { numRuns: runs(100) },
    );
  });
});

describe('the pace', () => {
  test('is that since the start until outcomes were seen to come, and then that of late', () => {
    const views = new Views('/s');
    const run = (done: number, elapsedMs: number) =>
      going('a', { counts: { queued: 1_000 - done, done }, settled: done, elapsedMs });
    expect(first(views, run(100, 10_000), 0).pace).toEqual({ perSecond: 10, silentMs: null, etaMs: 90_000 });
    expect(first(views, run(200, 11_000), 1_000).pace).toEqual({ perSecond: 100, silentMs: null, etaMs: 8_000 });
  });

  test('promises no end while nothing ends, nor of what is paused', () => {
    const views = new Views('/s');
    const run = (more: object) =>
      going('a', { counts: { running: 1, done: 5 }, settled: 5, elapsedMs: 1_000, ...more });
    expect(first(views, run({}), 0).pace).toMatchObject({ etaMs: 200 });
    expect(first(views, run({}), 60_000).pace).toMatchObject({ silentMs: 60_000, etaMs: null });
    expect(first(views, run({ mode: 'paused' }), 61_000).pace).toMatchObject({ silentMs: null, etaMs: null });
  });

  test('begins anew with another executor, whose counts may be lower', () => {
    const views = new Views('/s');
    first(views, going('a', { counts: { queued: 1, done: 500 } }), 0);
    const { pace } = first(views, going('a', { counts: { queued: 9, done: 1 }, epoch: 2 }), 1_000);
    expect(pace).toEqual({ perSecond: 0, silentMs: null, etaMs: null });
    expect(first(views, idle('a'), 2_000).pace).toBeNull();
  });
});

describe('a view', () => {
  test('has the runs that go on first, and is the same as JSON', () => {
    const views = new Views('/s');
    const silent = idle('c', { state: 'silent', problem: 'no answer' });
    const view = views.next([idle('b'), idle('a'), silent, going('d', {})], 5, 5);
    expect(view.runs.map(({ runId }) => runId)).toEqual(['c', 'd', 'a', 'b']);
    expect(view).toMatchObject({ at: 5, root: '/s' });
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  });

  test('tells how long ago things were, and never that they are yet to come', () => {
    const threads = [
      {
        ...{ number: 1, state: 'busy', lastBeat: 90, tasksDone: 3, heapUsed: 1, externalMemory: 1 },
        running: [{ id: 'x', handler: 'h', since: 40, progress: { done: 1 } }],
      },
    ];
    const health = { lastBeat: { at: 120 }, missedBeats: 2, lastError: { at: 50, source: 'task', message: 'boom' } };
    const panel = first(new Views('/s'), going('a', { threads, health }), 100);
    expect(panel.threads).toEqual([
      {
        ...{ number: 1, state: 'busy', tasksDone: 3 },
        running: [{ id: 'x', handler: 'h', forMs: 60, progress: { done: 1 } }],
      },
    ]);
    expect(panel.heartbeat).toEqual({ ageMs: 0, missed: 2 });
    expect(panel.troubles).toEqual([{ kind: 'last-error', message: 'boom', ageMs: 50 }]);
  });

  test('names what is wrong: what cannot be seen, an executor that failed, or one that is not well', () => {
    const kinds = (run: RunView) => first(new Views('/s'), run, 1).troubles.map(({ kind }) => kind);
    expect(kinds(idle('a', { problem: 'the queue is damaged' }))).toEqual(['unseen']);
    expect(
      kinds(going('a', { mode: 'failed', error: { code: 'E', message: 'm' }, health: { why: 'failed' } })),
    ).toEqual(['failed']);
    expect(kinds(going('a', { health: { healthy: false, why: 'thread 1 does not turn' } }))).toEqual(['unhealthy']);
    expect(kinds(idle('a'))).toEqual([]);
  });
});
