import type { Executor } from '../runtime/executor.js';
import { BeatLog } from './beat-log.js';
import type { SmokeSettings } from './settings.js';

export const RUN_ID = 'smoke';

/** From the abort of a task to the end of its thread, in ms: a test whose handler hangs should not take long to end. */
const GRACE_MS = 200;

/** An executor, and what is heard of it from its first moment on. */
export interface Booted {
  executor: Executor;
  beats: BeatLog;
}

/**
 * Starts a real run, as `runtime run` does, in a state folder of its own.
 * @param given `signal`: ends the start, and all that was begun by it
 */
export async function boot(
  { threads, handler }: SmokeSettings,
  { dir, signal }: { dir: string; signal: AbortSignal },
): Promise<Booted> {
  // Loaded only now, while the process that is to contend for the lock starts.
  const { hostRun } = await import('../runs/host-run.js');
  const options = {
    runId: RUN_ID,
    handlers: handler.module,
    dir,
    threads,
    concurrency: 1,
    timeoutMs: undefined,
    retries: 0,
    backoff: { baseMs: 0, maxMs: 0 },
    rate: undefined,
    delayMs: 0,
    memoryBytes: undefined,
    memoryTotalBytes: undefined,
    maxCrashes: 1,
    durable: true,
    graceMs: GRACE_MS,
    recycleAfterTasks: undefined,
    recycleAboveBytes: undefined,
    stallAfterMs: 30_000,
    steerable: false,
  };
  // With all threads up, all are in the first beat.
  const { executor } = await hostRun(options, { start: { allThreads: true, signal } });
  return { executor, beats: new BeatLog(executor) };
}
