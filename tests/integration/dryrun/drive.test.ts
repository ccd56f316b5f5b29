/** What a dry run does with an executor, and what it finds in its queue. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { drive } from '../../../dist/dryrun/drive.js';
import { Measurements } from '../../../dist/dryrun/measure/measurements.js';
import { DEFAULT_PLAN, type Plan } from '../../../dist/dryrun/plan/plan.js';
import { tally } from '../../../dist/dryrun/measure/tally.js';
import type { Executor } from '../../../dist/index.js';
import type { Outcome } from '../../../dist/runtime/task/task.js';
import { rejection, startedExecutor } from '../../support/executors.js';
import { waitFor } from '../../support/wait-for.js';

const HANDLER = fileURLToPath(new URL('../../../dist/dryrun/handler.js', import.meta.url));

const consuming = () => startedExecutor({ handlers: HANDLER });

function driven(executor: Executor, plan: Partial<Plan>, signal = new AbortController().signal) {
  const whole = { ...DEFAULT_PLAN, ...plan };
  const measurements = new Measurements(whole);
  return { measurements, finished: drive(executor, whole, { handler: 'consume', measurements, signal }) };
}

describe('the tally', () => {
  test('reads back every event, whatever became of it', async () => {
    const executor = await consuming();
    const { measurements, finished } = driven(executor, { rate: 10_000, count: 3_000 });
    await finished;
    expect(measurements).toMatchObject({ submitted: 3_000, ended: 3_000 });
    expect(await tally(executor, measurements.byType)).toEqual({
      outcomes: { done: 3_000, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 },
      unfinished: 0,
      lost: 0,
      duplicates: 0,
    });
  });

  test('finds what is lost, and what only waits', async () => {
    const executor = await consuming();
    await driven(executor, { rate: 10_000, count: 30 }).finished;
    // One more order was sent, it seems, than the queue knows of.
    expect(await tally(executor, { trade: 10, order: 11, position: 10 })).toMatchObject({ lost: 1, unfinished: 0 });
    executor.pause();
    const abort = new AbortController();
    const { measurements, finished } = driven(
      executor,
      { rate: 1_000, events: { alert: { make: () => ({}) } } },
      abort.signal,
    );
    await waitFor('some to wait', () => measurements.submitted > 20);
    abort.abort();
    const { submitted } = measurements;
    expect(await tally(executor, { trade: 10, order: 10, position: 10, ...measurements.byType })).toMatchObject({
      outcomes: { done: 30 },
      unfinished: submitted,
      lost: 0,
    });
    executor.resume();
    await finished;
    expect(await tally(executor, { trade: 10, order: 10, position: 10, alert: submitted })).toMatchObject({
      lost: 0,
      unfinished: 0,
    });
  });

  test('counts an outcome that is there twice, and none that is of no event', async () => {
    // No queue of ours holds an id twice, so this one is made up.
    const ids = ['trade_1', 'trade_2', 'trade_2', 'trade_7', 'other_1', 'trade', '#5'];
    const outcomes = ids.map((id) => ({ id, state: id === 'trade_2' ? 'failed' : 'done' }) as Outcome);
    const executor = {
      encoded: {
        outcomes: () =>
          (async function* () {
            yield* outcomes;
          })(),
      },
      counts: async () => ({ queued: 0, delayed: 0, running: 0 }),
    } as unknown as Executor;
    expect(await tally(executor, { trade: 3 })).toEqual({
      outcomes: { done: 1, failed: 1, crashed: 0, 'timed-out': 0, cancelled: 0 },
      unfinished: 0,
      lost: 1,
      duplicates: 1,
    });
  });
});

describe('it ends', () => {
  test('with what the executor fails of, also while it waits for the next arrival', async () => {
    const executor = await consuming();
    const { measurements, finished } = driven(executor, { rate: 0.001 });
    await waitFor('the first event', () => measurements.ended === 1);
    const broken = new Error('the disk is gone');
    executor.emit('failed', broken);
    expect(await rejection(finished)).toBe(broken);
    expect(executor.eventNames()).not.toContain('recorded');
  });

  test('when the executor takes no more', async () => {
    const executor = await consuming();
    const { measurements, finished } = driven(executor, { rate: 500 });
    await waitFor('the first event', () => measurements.ended > 0);
    const rejected = rejection(finished);
    await executor.stop();
    expect(await rejected).toMatchObject({ code: 'ERR_EXECUTOR_STOPPED' });
  });

  test('with the event that cannot be made', async () => {
    const executor = await consuming();
    const broken = new Error('no more of them');
    const make = () => {
      throw broken;
    };
    expect(await rejection(driven(executor, { events: { alert: { make } } }).finished)).toBe(broken);
  });

  test('with what was sent, after an abort', async () => {
    const executor = await consuming();
    const abort = new AbortController();
    const { measurements, finished } = driven(executor, { rate: 1_000 }, abort.signal);
    await waitFor('some events', () => measurements.ended > 10);
    abort.abort();
    await finished;
    expect(measurements.ended).toBe(measurements.submitted);
  });
});

describe('what generates and takes built-in events', () => {
  /** What a built file imports, and what these import, that is no file of ours. */
  function packagesOf(file: URL, seen = new Set<string>()): string[] {
    if (seen.has(file.href)) return [];
    seen.add(file.href);
    const imports = [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) .*?from '([^']+)'/gm)].map(
      ([, from]) => from!,
    );
    return imports.flatMap((from) => (from.startsWith('.') ? packagesOf(new URL(from, file), seen) : [from]));
  }
  const dryrun = (file: string) => new URL(`../../../dist/dryrun/${file}`, import.meta.url);

  test('loads no schemas, so that it starts fast', () => {
    expect(packagesOf(dryrun('events/trading-schemas.js'))).toContain('zod');
    expect(packagesOf(dryrun('options.js'))).not.toContain('zod');
    expect(packagesOf(dryrun('plan/stream.js')).map((name) => name.split('/')[0])).toEqual(['pure-rand', 'pure-rand']);
    expect(packagesOf(dryrun('plan/plan.js'))).toEqual([]);
    expect(packagesOf(dryrun('handler.js'))).toEqual([]);
  });
});
