import { setImmediate } from 'node:timers/promises';
import { Analyst, ANALYST } from './await/analyst.js';
import { freeMemory } from './process/free-memory.js';
import { attachToSelf } from './inspector/attach-self.js';
import type { InspectOptions } from './inspect-process.js';
import type { AwaitBranch, Inspection } from './inspection.js';
import { underWay } from './looks-under-way.js';
import { checkMaxPause, MAX_PAUSE_MS } from './max-pause.js';
import type { Haste } from './thread-view/haste.js';
import { inspectAttached } from './thread-view/inspect-attached.js';
import { MemoryBudget } from './thread-view/memory-need.js';
import { PausePredictor } from './thread-view/predict.js';

/** What `inspectSelf` takes. */
export interface InspectSelfOptions extends InspectOptions {
  /** Ids of the threads to inspect, as `worker_threads.threadId` has them; default all. */
  threads?: readonly number[];
  /** Which branches to show, of those on top. Default all. */
  keep?: (top: AwaitBranch) => boolean;
  /** Gives it up: threads whose turn has not come are left alone, and it rejects with the reason once the others are let go. */
  signal?: AbortSignal;
  /** @internal */
  haste?: Haste;
  /** Whether streams to files that are open are looked for; default `false`. */
  openStreams?: boolean;
}

/** One for all looks: it learns from each. */
const predictor = new PausePredictor();

/**
 * Looks into the process that calls it. From the main thread all threads are
 * seen, from another one only itself. The heap is read in a thread of its own,
 * which is not shown; so the caller stands no longer than what is looked at.
 *
 * @throws InvalidInputError ERR_INVALID_OPTIONS when `maxPauseMs` is no time
 */
export async function inspectSelf(options: InspectSelfOptions = {}): Promise<Inspection> {
  return await underWay(look(options));
}

async function look(options: InspectSelfOptions): Promise<Inspection> {
  const { all = false, maxPauseMs = MAX_PAUSE_MS, onNote, threads, keep, signal, haste, openStreams } = options;
  checkMaxPause(maxPauseMs);
  // Whoever calls is on the stack until then, and would be taken for what the thread is busy with.
  await setImmediate();
  signal?.throwIfAborted();
  const begin = performance.now();
  const analyst = new Analyst();
  const memory = new MemoryBudget(() => freeMemory(process.pid), true);
  const attached = await attachToSelf();
  const wanted = attached.threads.filter(
    ({ threadId, name }) => name !== ANALYST && (threads === undefined || threads.includes(threadId)),
  );
  try {
    const inspection = await inspectAttached(
      { ...attached, threads: wanted },
      {
        all,
        maxPauseMs,
        onNote,
        keep,
        signal,
        haste,
        openStreams,
        analyst,
        predictor,
        memory,
        begin,
        pid: process.pid,
      },
    );
    signal?.throwIfAborted();
    return inspection;
  } finally {
    await Promise.all([attached.detach(), analyst.close()]);
  }
}
