import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { TraceLog, type TraceLogSettings } from '../../../../dist/debug/trace/trace-log.js';
import type { Dump } from '../../../../dist/debug/trace/dump.js';
import type { Inspection } from '../../../../dist/debug/inspection.js';
import { deferred } from '../../../support/deferred.js';
import { branch, inspectionAt, threadWith } from '../../../support/inspections.js';
import { tempDir } from '../../../support/temp-dir.js';

const INTERVAL_MS = 10_000;

// Files are real: what they bring comes by immediates, which go on.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** A trace log whose looks end when a test says so. */
function traceLog(changes: Partial<TraceLogSettings> = {}) {
  const path = join(tempDir(), 'trace.log');
  const looks: {
    maxPauseMs: number;
    signal: AbortSignal;
    end(awaits?: ReturnType<typeof branch>[]): void;
    fail(error: Error): void;
  }[] = [];
  const unwritable: string[] = [];
  const trace = new TraceLog({
    path,
    title: 'a test',
    intervalMs: INTERVAL_MS,
    maxPauseMs: 250,
    json: true,
    look: ({ maxPauseMs, signal }) => {
      const { promise, resolve, reject } = deferred<Inspection>();
      looks.push({
        maxPauseMs,
        signal,
        end: (awaits = [branch('read')]) => resolve(inspectionAt(Date.now() / 1000, threadWith(awaits))),
        fail: reject,
      });
      return promise;
    },
    onUnwritable: ({ message }) => unwritable.push(message),
    ...changes,
  });
  onTestFinished(() => void trace.end({ lastDump: false, withinMs: 0 }));
  const heads = () =>
    (existsSync(path) ? readFileSync(path, 'utf8') : '').split('\n').filter((line) => line.startsWith('dump '));
  return { trace, path, looks, unwritable, heads };
}

/** Polls by turns of the event loop: its timers stand still meanwhile, and the clock of the deadline does not. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a trace log', () => {
  test('takes its first dump after an interval unless it is asked before, and each next one an interval after the end of the last', async () => {
    const { looks, heads } = traceLog();
    vi.advanceTimersByTime(INTERVAL_MS - 1);
    expect(looks).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(looks).toHaveLength(1);
    vi.advanceTimersByTime(5 * INTERVAL_MS);
    expect(looks).toHaveLength(1);
    looks[0]!.end();
    await until(() => vi.getTimerCount() > 0);
    expect(heads()).toHaveLength(1);
    vi.advanceTimersByTime(INTERVAL_MS - 1);
    expect(looks).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(looks).toHaveLength(2);
    looks[1]!.end();
    await until(() => heads().length === 2);
    expect(heads()[0]).toContain(' · at the start · ');
    expect(heads()[1]).toContain(' · interval · ');
  });

  test('its first dump can be brought forward, once', async () => {
    const { trace, looks, heads } = traceLog();
    const started = trace.start();
    looks[0]!.end();
    await started;
    await trace.start();
    expect(looks).toHaveLength(1);
    expect(heads()[0]).toContain(' · at the start · ');
  });

  test('never takes two at once: whoever asks meanwhile gets one that begins after the one under way', async () => {
    const { trace, looks, heads } = traceLog();
    const first = trace.dump('start');
    const [second, third] = [trace.dump('SIGUSR2'), trace.dump('SIGUSR2')];
    expect(looks).toHaveLength(1);
    looks[0]!.end();
    await until(() => looks.length === 2);
    let done = false;
    void second.then(() => (done = true));
    looks[1]!.end();
    await Promise.all([first, second, third]);
    expect(done).toBe(true);
    expect(looks).toHaveLength(2);
    expect(heads().map((head) => head.split(' · ')[2])).toEqual(['at the start', 'on SIGUSR2']);
  });

  test('a dump that is asked for puts off the periodic one', async () => {
    const { trace, looks } = traceLog();
    vi.advanceTimersByTime(INTERVAL_MS - 1);
    const dumped = trace.dump('SIGUSR2');
    looks[0]!.end();
    await dumped;
    vi.advanceTimersByTime(INTERVAL_MS - 1);
    expect(looks).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(looks).toHaveLength(2);
  });

  test.each([
    [250, undefined, 5_000],
    [250, 3_000, 5_000],
    [7_000, undefined, 7_000],
  ])(
    'with a limit of %d ms by themselves, and %s for the first, dumps that are asked for, or waited for, may take %d ms',
    async (by, first, asked) => {
      const { trace, path, looks } = traceLog({
        maxPauseMs: by,
        ...(first !== undefined && { startMaxPauseMs: first }),
      });
      const ended = (dumped: Promise<void>) => {
        looks.at(-1)!.end();
        return dumped;
      };
      await ended(trace.start());
      vi.advanceTimersByTime(INTERVAL_MS);
      looks.at(-1)!.end();
      await until(() => vi.getTimerCount() > 0);
      for (const why of ['SIGUSR2', 'drain'] as const) await ended(trace.dump(why));
      await ended(trace.end({ lastDump: true, withinMs: 5_000 }));
      expect(looks.map(({ maxPauseMs }) => maxPauseMs)).toEqual([first ?? by, by, asked, asked, asked]);
      const dumps = readFileSync(path.replace('.log', '.ndjson'), 'utf8').trimEnd().split('\n');
      expect(dumps.map((line) => (JSON.parse(line) as { dump: Dump }).dump.maxPauseMs)).toEqual(
        looks.map(({ maxPauseMs }) => maxPauseMs),
      );
    },
  );

  test('keeps the same dumps as text and as NDJSON, numbered, and NDJSON only where it is wanted', async () => {
    const { trace, path, looks } = traceLog();
    for (const index of [0, 1]) {
      const dumped = trace.dump('SIGUSR2');
      looks[index]!.end();
      await dumped;
      vi.advanceTimersByTime(4_000);
    }
    const lines = readFileSync(path.replace('.log', '.ndjson'), 'utf8').trimEnd().split('\n');
    const dumps = lines.map((line) => JSON.parse(line) as Inspection & { dump: object });
    expect(dumps).toMatchObject([
      { schema: 1, threads: [{ awaits: [{ name: 'read' }] }], dump: { number: 1, why: 'SIGUSR2', standing: [] } },
      { schema: 1, dump: { number: 2, standing: [{ path: ['read'], ageMs: 4_000 }], growing: [] } },
    ]);
    const textOnly = traceLog({ json: false });
    const dumped = textOnly.trace.dump('start');
    textOnly.looks[0]!.end();
    await dumped;
    expect(existsSync(textOnly.path.replace('.log', '.ndjson'))).toBe(false);
  });

  test('what goes wrong in a dump is a sentence in the log, and the next one comes', async () => {
    const { trace, looks, heads, unwritable } = traceLog();
    const dumped = trace.dump('start');
    looks[0]!.fail(new Error('the inspector is gone'));
    await dumped;
    expect(heads()[0]).toMatch(/^dump 1 · .* · at the start · could not be taken: the inspector is gone$/);
    vi.advanceTimersByTime(INTERVAL_MS);
    looks[1]!.end();
    await until(() => heads().length === 2);
    expect(unwritable).toEqual([]);
  });

  test('a log that cannot be written is told of once and tried again; when it can, it tells what it lost', async () => {
    const folder = join(tempDir(), 'gone');
    const path = join(folder, 'trace.log');
    const { trace, looks, unwritable } = traceLog({ path });
    const dump = async () => {
      const dumped = trace.dump('SIGUSR2');
      looks.at(-1)!.end();
      await dumped;
    };
    await dump();
    await dump();
    expect(unwritable).toEqual([expect.stringContaining('ENOENT')]);
    mkdirSync(folder);
    await dump();
    expect(readFileSync(path, 'utf8')).toMatch(
      /dump 3 .*\nnote: 2 dumps before this one could not be written: ENOENT.*\n/,
    );
    await dump();
    expect(readFileSync(path, 'utf8').match(/could not be written/g)).toHaveLength(1);
    expect(unwritable).toHaveLength(1);
  });
});

describe('the end of a trace log', () => {
  const end = (trace: TraceLog, lastDump = true) => trace.end({ lastDump, withinMs: 5_000 });

  test('is a last dump, after the one under way; none comes after it', async () => {
    const { trace, looks, heads } = traceLog();
    void trace.dump('start');
    const ended = end(trace);
    looks[0]!.end();
    await until(() => looks.length === 2);
    looks[1]!.end();
    await ended;
    expect(heads()[1]).toMatch(/^dump 2 · .* · at the end · 1 suspended function in 1 thread/);
    await trace.dump('SIGUSR2');
    vi.advanceTimersByTime(2 * INTERVAL_MS);
    expect(looks).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is a line where nothing is left', async () => {
    const { trace, looks, heads } = traceLog();
    const ended = end(trace);
    looks[0]!.end([]);
    await ended;
    expect(heads()).toEqual([
      expect.stringMatching(/^dump 1 · .* · at the end · nothing is left: no function awaits anything in 1 thread$/),
    ]);
  });

  test('comes at once without a last dump, when none is under way', async () => {
    const { trace, looks, heads } = traceLog();
    await end(trace, false);
    expect(looks).toHaveLength(0);
    expect(heads()).toEqual([]);
  });

  test('gives up what is not done in time: the look is told so, waited for until it ends, and not written', async () => {
    const { trace, looks, path } = traceLog();
    let ended = false;
    const ending = end(trace).then(() => (ended = true));
    expect(looks[0]!.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([looks[0]!.signal.aborted, ended]).toEqual([true, false]);
    looks[0]!.end();
    await ending;
    await trace.dump('SIGUSR2');
    expect(existsSync(path)).toBe(false);
    expect(looks).toHaveLength(1);
  });

  test('gives up those that wait for their turn, too, and can be asked for twice', async () => {
    const { trace, looks } = traceLog();
    const dumped = [trace.dump('start'), trace.dump('SIGUSR2')];
    const ending = [end(trace, false), end(trace, false)];
    await vi.advanceTimersByTimeAsync(5_000);
    looks[0]!.fail(looks[0]!.signal.reason as Error);
    await Promise.all([...dumped, ...ending]);
    expect(looks).toHaveLength(1);
  });
});
