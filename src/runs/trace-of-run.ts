/** ASYNC_DEBUG in a run: what is dumped besides the dumps at intervals, and how they end. */
import type { TraceLog } from '../debug/trace/trace-log.js';
import type { Executor } from '../runtime/executor.js';

/** A drain that takes longer is dumped, in ms. */
const LONG_DRAIN_MS = 5_000;

/**
 * What the last dump may take, and the one under way when interrupted tasks have stopped, in ms. A thread may be
 * paused for 5 s in the last one, with others before and after it; then heaps are read.
 */
const LAST_DUMP_MS = 20_000;
const GIVEN_UP_AFTER_MS = 1_000;

/** What the executor waits for in a drain that takes long is dumped. */
export function dumpLongDrains(executor: Executor, trace: TraceLog): void {
  let timer: NodeJS.Timeout | undefined;
  executor.on('mode-changed', (mode) => {
    clearTimeout(timer);
    if (mode !== 'draining' && mode !== 'stopping') return;
    timer = setTimeout(() => void trace.dump('drain'), LONG_DRAIN_MS);
    timer.unref();
  });
}

/** @param interrupted whether what runs was asked to stop at once: then nobody waits for another look */
export async function endTrace(trace: TraceLog | undefined, interrupted = false): Promise<void> {
  await trace?.end({ lastDump: !interrupted, withinMs: interrupted ? GIVEN_UP_AFTER_MS : LAST_DUMP_MS });
}
