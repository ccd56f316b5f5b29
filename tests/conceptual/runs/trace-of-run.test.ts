import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dumpLongDrains } from '../../../dist/runs/trace-of-run.js';
import type { TraceLog } from '../../../dist/debug/trace/trace-log.js';
import type { Executor } from '../../../dist/runtime/executor.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Modes that an executor tells, and the dumps that come of them. */
function watched() {
  const executor = new EventEmitter() as unknown as Executor;
  const dumps: string[] = [];
  dumpLongDrains(executor, {
    dump: async (why: string) => void dumps.push(why),
  } as unknown as TraceLog);
  return { enters: (mode: Executor['mode']) => void executor.emit('mode-changed', mode), dumps };
}

test.each(['draining', 'stopping'] as const)('an executor that is %s for five seconds is dumped, once', (mode) => {
  const { enters, dumps } = watched();
  enters(mode);
  vi.advanceTimersByTime(4_999);
  expect(dumps).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(dumps).toEqual(['drain']);
});

test.each(['running', 'stopped', 'failed'] as const)(
  'a drain that ended in time, as it is %s, is not dumped',
  (mode) => {
    const { enters, dumps } = watched();
    enters('draining');
    vi.advanceTimersByTime(4_000);
    enters(mode);
    vi.advanceTimersByTime(60_000);
    expect(dumps).toEqual([]);
  },
);
