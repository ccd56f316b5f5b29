import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BEAT_INTERVAL_MS, Heartbeat, type Beat, type Proof } from '../../../../dist/runtime/health/heartbeat.js';
import { deferred } from '../../../support/deferred.js';
import { runs } from '../../../support/runs.js';

const WELL: Proof = { threads: [1, 2], missing: [] };

/** By so much `performance.now()` is ahead of the timers: the event loop stood still. */
let skewMs = 0;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  skewMs = 0;
  const fake = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => fake() + skewMs);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A heartbeat, and all that it told. */
function watched(prove: (withinMs: number) => Promise<Proof> = async () => WELL) {
  const heartbeat = new Heartbeat(prove);
  const told: (Beat | { reason: string; missed: number })[] = [];
  heartbeat.on('beat', (beat) => told.push(beat));
  heartbeat.on('missed', (event) => told.push(event));
  const counts = () => told.map((each) => ('count' in each ? each.count : `missed ${each.missed}`));
  return { heartbeat, told, counts };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function warnings() {
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  return () => spy.mock.calls.map(([text]) => text);
}

describe('a heartbeat', () => {
  test('beats at once, then every second, and tells count, uptime, time and who was proven to turn', async () => {
    const { heartbeat, told } = watched();
    heartbeat.start();
    await pass(0);
    await pass(2000);
    expect(told).toEqual([
      { count: 1, uptimeMs: 0, at: 1_000_000, tookMs: 0, threads: [1, 2] },
      { count: 2, uptimeMs: 1000, at: 1_001_000, tookMs: 0, threads: [1, 2] },
      { count: 3, uptimeMs: 2000, at: 1_002_000, tookMs: 0, threads: [1, 2] },
    ]);
    expect([heartbeat.count, heartbeat.lastBeat]).toEqual([3, told[2]]);
  });

  test('that is started again begins from zero', async () => {
    const { heartbeat, told, counts } = watched(async () =>
      told.length < 2 ? WELL : { threads: [], missing: ['no'] },
    );
    heartbeat.start();
    await pass(2000);
    heartbeat.stop();
    expect([heartbeat.count, heartbeat.missedBeats, heartbeat.missedInARow]).toEqual([2, 1, 1]);
    await pass(5000);
    told.length = 0;
    heartbeat.start();
    expect([heartbeat.count, heartbeat.missedBeats, heartbeat.missedInARow]).toEqual([0, 0, 0]);
    expect([heartbeat.uptimeMs, heartbeat.lastBeat]).toEqual([0, null]);
    await pass(0);
    expect(counts()).toEqual([1]);
  });

  test('that is started twice goes on as it is, with a warning', async () => {
    const warned = warnings();
    const { heartbeat, counts } = watched();
    heartbeat.start();
    await pass(1000);
    heartbeat.start();
    await pass(1000);
    expect(counts()).toEqual([1, 2, 3]);
    expect(warned()).toEqual(['heartbeat: it was started, and is running already']);
  });

  test('that is stopped twice, or before it was started, warns and does nothing', async () => {
    const warned = warnings();
    const { heartbeat, counts } = watched();
    heartbeat.stop();
    heartbeat.start();
    heartbeat.stop();
    heartbeat.stop();
    expect(warned()).toHaveLength(2);
    expect(heartbeat.running).toBe(false);
    await pass(3000);
    expect(counts()).toEqual([]);
  });

  test('grows no older once it is stopped', async () => {
    const { heartbeat } = watched();
    expect(heartbeat.uptimeMs).toBe(0);
    heartbeat.start();
    await pass(1500);
    expect(heartbeat.uptimeMs).toBe(1500);
    heartbeat.stop();
    await pass(60_000);
    expect(heartbeat.uptimeMs).toBe(1500);
  });

  test('does not notice when the clock of the system is set', async () => {
    const { heartbeat, told, counts } = watched();
    heartbeat.start();
    await pass(1000);
    vi.setSystemTime(3_600_000_000);
    await pass(1000);
    vi.setSystemTime(0);
    await pass(1000);
    expect(counts()).toEqual([1, 2, 3, 4]);
    expect((told.at(-1) as Beat).uptimeMs).toBe(3000);
  });

  test('whose proof takes its time keeps its rhythm', async () => {
    const asked: number[] = [];
    const { heartbeat, told } = watched(async () => {
      asked.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, 400));
      return WELL;
    });
    heartbeat.start();
    const start = performance.now();
    await pass(3400);
    expect(asked.map((at) => at - start)).toEqual([0, 1000, 2000, 3000]);
    expect(told.map((beat) => (beat as Beat).tookMs)).toEqual([400, 400, 400, 400]);
  });
});

test('a listener that throws does not stop the heart', async () => {
  // Who throws in a listener ends the process, as far as nobody catches it there.
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  const thrown: unknown[] = [];
  process.on('unhandledRejection', (error: Error) => thrown.push(error.message));
  const { heartbeat, counts } = watched();
  heartbeat.on('beat', () => {
    throw new Error('in a listener');
  });
  heartbeat.start();
  await pass(2000);
  heartbeat.stop();
  await new Promise(setImmediate);
  process.removeAllListeners('unhandledRejection');
  for (const other of others) process.on('unhandledRejection', other);
  expect(counts()).toEqual([1, 2, 3]);
  expect(thrown).toEqual(Array(3).fill('in a listener'));
});

describe('a beat that does not come', () => {
  test('is told with all that did not answer, and counted; the next one that comes ends it', async () => {
    let missing = ['the queue did not answer', 'thread 2 is idle and does not answer'];
    const { heartbeat, told, counts } = watched(async () => ({ threads: [1], missing }));
    heartbeat.start();
    await pass(1000);
    expect(told[0]).toEqual({ missed: 1, reason: missing.join('; ') });
    expect([heartbeat.missedInARow, heartbeat.lastBeat]).toEqual([2, null]);
    missing = [];
    await pass(1000);
    expect(counts()).toEqual(['missed 1', 'missed 2', 1]);
    expect([heartbeat.missedInARow, heartbeat.missedBeats]).toEqual([0, 2]);
  });

  test('is what an error of the proof comes to', async () => {
    const { heartbeat, told } = watched(() => Promise.reject(new Error('no such queue')));
    heartbeat.start();
    await pass(0);
    expect(told).toEqual([{ missed: 1, reason: 'no such queue' }]);
  });

  test('because the event loop stood still is counted as often as one was due, and the rhythm begins anew', async () => {
    const { heartbeat, told, counts } = watched();
    heartbeat.start();
    await pass(500);
    skewMs = 3700;
    await pass(500);
    expect(told[1]).toEqual({ missed: 3, reason: 'the event loop of the executor stood still for 3.7s' });
    expect(counts()).toEqual([1, 'missed 3', 2]);
    await pass(1000);
    expect(counts()).toEqual([1, 'missed 3', 2, 3]);
  });

  test('is none as long as it is late by less than a beat', async () => {
    const { heartbeat, counts } = watched();
    heartbeat.start();
    await pass(500);
    skewMs = 900;
    await pass(500);
    expect(counts()).toEqual([1, 2]);
  });
});

describe('a stop', () => {
  test('while the answers are waited for lets nothing be told of them, not even after a new start', async () => {
    const proofs = [deferred<Proof>(), deferred<Proof>()];
    const asked = [...proofs];
    const { heartbeat, counts } = watched(() => asked.shift()!.promise);
    heartbeat.start();
    heartbeat.stop();
    heartbeat.start();
    proofs[0]!.resolve(WELL);
    await pass(0);
    expect(counts()).toEqual([]);
    proofs[1]!.resolve(WELL);
    await pass(0);
    expect(counts()).toEqual([1]);
  });

  test.each(['beat', 'missed'] as const)('by who hears of a %s ends it there', async (event) => {
    const proof = event === 'beat' ? WELL : { threads: [], missing: ['no'] };
    const { heartbeat, told } = watched(async () => proof);
    heartbeat.on(event, () => heartbeat.stop());
    heartbeat.start();
    await pass(10_000);
    expect(told).toHaveLength(1);
  });
});

test('whatever happens: one question at a time, each beat and each miss told once and in order', async () => {
  const turn = fc.record({
    answer: fc.constantFrom('well', 'missing', 'error'),
    tookMs: fc.integer({ min: 0, max: BEAT_INTERVAL_MS }),
    stoodStillMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 5000 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 12 }), async (turns) => {
      skewMs = 0;
      let asking = 0;
      let mostAsking = 0;
      let next = 0;
      const { heartbeat, told } = watched(async () => {
        mostAsking = Math.max(mostAsking, ++asking);
        const { answer, tookMs, stoodStillMs } = turns[next++] ?? { answer: 'well', tookMs: 0, stoodStillMs: 0 };
        if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs));
        skewMs += stoodStillMs;
        asking--;
        if (answer === 'error') throw new Error('error');
        return answer === 'well' ? WELL : { threads: [], missing: ['missing'] };
      });
      heartbeat.start();
      while (next <= turns.length) await pass(100);
      heartbeat.stop();
      expect(mostAsking).toBe(1);
      let beats = 0;
      let missed = 0;
      let inARow = 0;
      for (const each of told) {
        if ('count' in each) {
          expect(each.count).toBe(++beats);
          inARow = 0;
        } else {
          expect(each.missed).toBeGreaterThan(inARow);
          missed += each.missed - inARow;
          inARow = each.missed;
        }
      }
      const well = turns.filter(({ answer }) => answer === 'well').length;
      // Of those that were asked for after them, the last one may not have come.
      const more = next - turns.length;
      expect(beats - well).toBeOneOf([more - 1, more]);
      // An answer that was long on its way when time stood still is later by both.
      const late = turns.filter(({ stoodStillMs }) => stoodStillMs > 0);
      const lateMs = late.reduce((sum, { tookMs, stoodStillMs }) => sum + tookMs + stoodStillMs, 0);
      const notWell = turns.length - well;
      expect(missed).toBeGreaterThanOrEqual(notWell);
      expect(missed).toBeLessThanOrEqual(notWell + Math.floor(lateMs / BEAT_INTERVAL_MS));
      expect([heartbeat.count, heartbeat.missedBeats, heartbeat.missedInARow]).toEqual([beats, missed, inARow]);
    }),
    { numRuns: runs(100) },
  );
});
