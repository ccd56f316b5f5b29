/** What is measured of a dry run, and how it is shown. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReport } from '../../../../dist/cli/dry-run/dry-run-report.js';
import { bar, sparkline } from '../../../../dist/cli/screen/sparkline.js';
import { planArrivals } from '../../../../dist/dryrun/plan/arrivals.js';
import { Durations } from '../../../../dist/dryrun/measure/durations.js';
import { Measurements } from '../../../../dist/dryrun/measure/measurements.js';
import { DEFAULT_PLAN, type Plan } from '../../../../dist/dryrun/plan/plan.js';
import { reportOf, type DryRunReport } from '../../../../dist/dryrun/measure/report.js';
import { COLUMNS, TimelineRecorder } from '../../../../dist/dryrun/measure/timeline.js';
import { wallTime, now } from '../../../../dist/runtime/thread/board.js';

describe('durations', () => {
  test('have percentiles, of microseconds', () => {
    const durations = new Durations();
    for (let ms = 1; ms <= 100; ms++) durations.add(ms / 10);
    const found = durations.percentiles()!;
    expect(found.p50).toBeCloseTo(5, 1);
    expect(found.p95).toBeCloseTo(9.5, 1);
    expect(found.p99).toBeCloseTo(9.9, 1);
    expect(found.max).toBeCloseTo(10, 1);
  });

  test('none have none', () => {
    expect(new Durations().percentiles()).toBeNull();
    expect(new Durations().buckets()).toEqual([]);
  });

  test('below a microsecond, and less than nothing, count as one', () => {
    const durations = new Durations();
    durations.add(0);
    durations.add(-3);
    expect(durations.percentiles()).toEqual({ p50: 0.001, p95: 0.001, p99: 0.001, max: 0.001 });
    expect(durations.buckets()).toEqual([{ overMs: 0, upToMs: 0.1, count: 2 }]);
  });

  test('lie in buckets that follow each other without a gap, from the first that holds any to the last', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.0001, max: 100_000, noNaN: true }), { minLength: 1 }), (all) => {
        const durations = new Durations();
        for (const ms of all) durations.add(ms);
        const buckets = durations.buckets();
        expect(buckets[0]!.count).toBeGreaterThan(0);
        expect(buckets.at(-1)!.count).toBeGreaterThan(0);
        buckets.forEach(({ overMs, upToMs, count }, index) => {
          expect(count).toBe(all.filter((ms) => ms > overMs && ms <= upToMs).length);
          expect(upToMs).toBe(buckets[index + 1]?.overMs ?? upToMs);
        });
        expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
      }),
    );
  });

  test('have buckets of 1, 2, 5 and their tens', () => {
    const durations = new Durations();
    for (const ms of [0.05, 90]) durations.add(ms);
    expect(durations.buckets().map(({ upToMs }) => upToMs)).toEqual([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]);
  });
});

describe('the timeline', () => {
  const of = (plan: Partial<Plan>) => {
    const whole = { ...DEFAULT_PLAN, ...plan };
    const recorder = new TimelineRecorder(whole);
    for (const { at } of planArrivals(whole)) recorder.add(at, at);
    return recorder.snapshot();
  };

  // At some of these, n times the gap is not quite a whole number of gaps: fractions are rounded.
  test.each([0.001, 1, 7, 30, 60, 70, 300, 500, 700, 1300, 100_000])('shows what is even as even: %d/s', (rate) => {
    const { planned } = of({ rate, durationMs: 100_000 / rate + 500 });
    expect(planned.length).toBeGreaterThan(50);
    // The last column may be cut off.
    expect(new Set(planned.slice(0, -1)).size).toBe(1);
  });

  test('shows a burst as a burst: in one column, and empty ones up to the next', () => {
    for (const rate of [0.5, 1, 37, 500]) {
      const { planned, columnMs } = of({ pattern: 'burst', rate, count: 1_000 });
      const full = planned.filter((count) => count > 0);
      for (const count of full.slice(0, -1)) {
        expect(count).toBeGreaterThanOrEqual(3);
        expect(count).toBeLessThanOrEqual(10);
      }
      expect(full.length * 3).toBeLessThan(planned.length);
      expect(full.length).toBeGreaterThan(4);
      expect(columnMs).toBeGreaterThanOrEqual(1);
    }
    expect(of({ pattern: 'burst', rate: 500, count: 1_000 }).columnMs).toBe(2);
  });

  test('shows what is random as scattered', () => {
    const { planned } = of({ pattern: 'random', rate: 250, count: 2_000 });
    expect(planned).toHaveLength(COLUMNS);
    expect(new Set(planned).size).toBeGreaterThan(4);
  });

  test('begins at the start, and ends with the last arrival, be it late', () => {
    const recorder = new TimelineRecorder({ ...DEFAULT_PLAN, rate: 100 });
    recorder.add(0, 0);
    recorder.add(10, 47);
    expect(recorder.snapshot()).toEqual({ columnMs: 10, planned: [1, 1, 0, 0, 0], actual: [1, 0, 0, 0, 1] });
    recorder.add(10 * COLUMNS, 10 * COLUMNS);
    expect(recorder.snapshot().planned).toHaveLength(COLUMNS);
    expect(recorder.snapshot().planned.at(-1)).toBe(0);
  });
});

describe('measurements', () => {
  const plan = { ...DEFAULT_PLAN, rate: 1_000 };

  test('take every time against the planned instant, also where the generator was late', () => {
    const measurements = new Measurements(plan);
    measurements.begin();
    const start = now();
    const arrivals = [...planArrivals({ ...plan, count: 2 })];
    // Both come 500 ms late, and are done at once.
    while (now() - start < 20);
    measurements.arrived(arrivals);
    expect(measurements.submitted).toBe(2);
    expect(measurements.byType).toEqual({ trade: 1, order: 1, position: 0 });
    measurements.settled({ id: 'trade_1', startedAt: wallTime(now()) });
    measurements.settled({ id: 'order_1', startedAt: null });
    expect(measurements.ended).toBe(2);
    for (const durations of [measurements.arrivalLag, measurements.startLag, measurements.latency]) {
      expect(durations.percentiles()!.p50).toBeGreaterThanOrEqual(18);
    }
    // Who never started has no start.
    expect(measurements.startLag.buckets().reduce((sum, { count }) => sum + count, 0)).toBe(1);
    expect(measurements.lastEndMs).toBeGreaterThanOrEqual(20);
  });

  test('count an outcome once, and none that is of no event', () => {
    const measurements = new Measurements(plan);
    measurements.arrived([...planArrivals({ ...plan, count: 1 })]);
    for (const id of ['trade_1', 'trade_1', 'order_1']) measurements.settled({ id, startedAt: null });
    expect(measurements.ended).toBe(1);
  });

  test('know when the arrivals ended; before that, they go on', () => {
    const measurements = new Measurements(plan);
    const before = measurements.arrivalsMs;
    while (measurements.arrivalsMs === before);
    measurements.arrivalsEnded();
    const ended = measurements.arrivalsMs;
    while (measurements.elapsedMs < ended + 2);
    expect(measurements.arrivalsMs).toBe(ended);
  });
});

const REPORT: DryRunReport = {
  schema: 1,
  runId: 'dry-run',
  pattern: 'burst',
  rate: 500,
  seed: 42,
  burstSize: { min: 3, max: 10 },
  count: null,
  durationMs: 5_000,
  stoppedBy: null,
  events: 2_500,
  byType: { trade: 1_250, order: 750, position: 500 },
  outcomes: { done: 2_500, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 },
  unfinished: 0,
  lost: 0,
  duplicates: 0,
  elapsedMs: 4_998.4,
  perSecond: { planned: 500, actual: 499.8 },
  arrivalLagMs: { p50: 0.5, p95: 1, p99: 1.25, max: 3 },
  startLagMs: { p50: 1.5, p95: 2, p99: 2.25, max: 4 },
  latencyMs: { p50: 2.5, p95: 3, p99: 3.25, max: 5 },
  latencyHistogram: [
    { overMs: 1, upToMs: 2, count: 400 },
    { overMs: 2, upToMs: 5, count: 2_000 },
    { overMs: 5, upToMs: 10, count: 100 },
  ],
  timeline: { columnMs: 2, planned: [8, 0, 0, 4, 0], actual: [0, 8, 0, 1, 3] },
};

const shown = (report: Partial<DryRunReport> = {}, words = {}) =>
  formatReport({ ...REPORT, ...report }, { color: false, dir: '/state', outlivesProcess: true, ...words });

describe('the report', () => {
  test('shows planned against actual, latencies, types, outcomes, losses and the shape of the arrivals', () => {
    expect(shown()).toBe(
      [
        'dry run    burst at 500/s, bursts of 3 to 10, for 5s, seed 42',
        'events     2,500: 1,250 trade, 750 order, 500 position',
        'outcomes   2,500 done, 0 lost, 0 duplicates',
        'throughput 500/s planned, 500/s actual, in 5s',
        'submitted  p50 0.5ms, p95 1ms, p99 1.25ms, max 3ms  after the planned instant',
        'started    p50 1.5ms, p95 2ms, p99 2.25ms, max 4ms  after the planned instant',
        'latency    p50 2.5ms, p95 3ms, p99 3.25ms, max 5ms  planned instant to durable outcome',
        'arrivals   the first 10ms, a column is 2ms, the highest 8',
        '  planned  █  ▄',
        '  actual    █ ▁▃',
        'latencies  to 2ms   ████████ 400',
        '           to 5ms   ████████████████████████████████████████ 2,000',
        '           to 10ms  ██ 100',
        '',
      ].join('\n'),
    );
  });

  test('tells what went wrong, what to look at, and what is left', () => {
    const text = shown({
      outcomes: { done: 2_000, failed: 300, crashed: 0, 'timed-out': 100, cancelled: 0 },
      unfinished: 99,
      lost: 1,
      duplicates: 2,
      stoppedBy: 'drain',
    });
    expect(text).toContain('for 5s, seed 42, stopped by drain\n');
    expect(text).toContain('outcomes   2,000 done, 300 failed, 100 timed-out, 99 without one, 1 lost, 2 duplicates\n');
    expect(text).toContain('next       what became of them: runtime results dry-run --state not-done --dir /state\n');
  });

  test('names no command for a queue that is gone', () => {
    const outcomes = { ...REPORT.outcomes, done: 2_499, failed: 1 };
    expect(shown({ outcomes }, { outlivesProcess: false })).not.toContain('next ');
    expect(shown({ outcomes: { ...REPORT.outcomes, done: 2_400 }, unfinished: 99, lost: 1 })).not.toContain('next ');
  });

  test('says of a count that it is one, and of a timeline that is whole nothing', () => {
    const text = shown({
      count: 12,
      durationMs: null,
      events: 12,
      burstSize: { min: 4, max: 4 },
      byType: { ping: 12 },
    });
    expect(text).toContain('burst at 500/s, bursts of 4, 12 events, seed 42\n');
    expect(text).toContain('events     12\n');
    expect(text).toContain('arrivals   a column is 2ms, the highest 8\n');
  });

  test('of a dry run without an event is short', () => {
    const text = shown({
      pattern: 'random',
      burstSize: null,
      events: 0,
      byType: { trade: 0 },
      outcomes: { ...REPORT.outcomes, done: 0 },
      arrivalLagMs: null,
      startLagMs: null,
      latencyMs: null,
      latencyHistogram: [],
      timeline: { columnMs: 1, planned: [0], actual: [0] },
    });
    expect(text.split('\n').map((line) => line.split(' ')[0])).toEqual(['dry', 'events', 'outcomes', 'throughput', '']);
  });

  test('is coloured where that is wanted: a loss is red', () => {
    expect(shown({ lost: 1 }, { color: true })).toContain('\u001b[31m1 lost\u001b[0m');
    expect(shown({}, { color: true })).toContain('\u001b[32m0 lost\u001b[0m');
  });
});

describe('as data', () => {
  test('throughput is of the planned time, or of the time it took if that is longer', () => {
    const measurements = new Measurements(DEFAULT_PLAN);
    const tally = { outcomes: REPORT.outcomes, unfinished: 0, lost: 0, duplicates: 0 };
    const of = (plan: Partial<Plan>, stoppedBy?: string) =>
      reportOf({ ...DEFAULT_PLAN, ...plan }, measurements, tally, { runId: 'r', stoppedBy });
    measurements.arrived([...planArrivals({ ...DEFAULT_PLAN, count: 10 })]);
    for (const id of ['trade_1', 'order_1']) measurements.settled({ id, startedAt: null });
    expect(of({ durationMs: 5_000 })).toMatchObject({ perSecond: { planned: 2, actual: 0.4 }, count: null });
    expect(of({ count: 10 })).toMatchObject({
      perSecond: { planned: 1, actual: 0.2 },
      durationMs: null,
      burstSize: null,
    });
    const tooFast = of({ count: 10, rate: 1_000_000 });
    expect(tooFast.perSecond.planned).toBe(1_000_000);
    expect(tooFast.perSecond.actual).toBeCloseTo(2_000 / measurements.lastEndMs, 5);
    while (measurements.elapsedMs < 5);
    measurements.arrivalsEnded();
    const stopped = of({ durationMs: 60_000, pattern: 'burst' }, 'SIGINT');
    expect(stopped.perSecond.planned).toBeGreaterThan(1);
    expect(stopped).toMatchObject({ stoppedBy: 'SIGINT', burstSize: { min: 3, max: 10 }, schema: 1 });
    expect(JSON.parse(JSON.stringify(stopped))).toEqual(stopped);
  });
});

describe('charts', () => {
  test('a sparkline has a character a count, a gap for nothing, and the full height for the most', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000 }), { minLength: 1 }), (counts) => {
        const max = Math.max(...counts, 1);
        const levels = sparkline(counts, max)
          .split('')
          .map((level) => ' ▁▂▃▄▅▆▇█'.indexOf(level));
        expect(levels).toEqual(counts.map((count) => Math.ceil((8 * count) / max)));
      }),
    );
  });

  test('a bar is as long as its share, and never empty for what is there', () => {
    expect([0, 1, 50, 99, 100].map((count) => bar(count, 100, 10))).toEqual([
      '',
      '▏',
      '█████',
      '█████████▉',
      '██████████',
    ]);
    expect(bar(1, 1_000_000, 40)).toBe('▏');
  });
});
