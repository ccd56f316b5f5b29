import { Analyst } from './await/analyst.js';
import { attachToProcess } from './inspector/attach-process.js';
import { freeMemory } from './process/free-memory.js';
import type { Inspection } from './inspection.js';
import { checkMaxPause, MAX_PAUSE_MS } from './max-pause.js';
import { inspectAttached } from './thread-view/inspect-attached.js';
import { MemoryBudget } from './thread-view/memory-need.js';
import { PausePredictor } from './thread-view/predict.js';

/** What each inspection takes. */
export interface InspectOptions {
  /** Internals of Node and of holdfast are shown, too; default false. */
  all?: boolean;
  /** Milliseconds that a thread may be paused for a walk through its heap; default 5,000. Where it is expected to take longer, its awaits are not shown. */
  maxPauseMs?: number;
  /** Called with what takes long or pauses a thread, as a sentence. */
  onNote?: (note: string) => void;
}

/** What `inspectProcess` takes. */
export interface InspectProcessOptions extends InspectOptions {
  /** Ends the inspection before its time; the process is left as it was all the same. */
  signal?: AbortSignal;
}

/**
 * Looks into a running Node process of the same user, which need not be
 * prepared in any way, and leaves it as it was.
 *
 * @throws InvalidInputError ERR_INVALID_OPTIONS when `maxPauseMs` is no time
 * @throws HoldfastError ERR_INSPECT_TARGET when it cannot be looked into: there is none, it is no Node, it refuses, it ends
 * @throws what `signal` was aborted with
 */
export async function inspectProcess(pid: number, options: InspectProcessOptions = {}): Promise<Inspection> {
  const { all = false, maxPauseMs = MAX_PAUSE_MS, onNote, signal } = options;
  checkMaxPause(maxPauseMs);
  signal?.throwIfAborted();
  const analyst = new Analyst();
  const attached = await attachToProcess(pid, { onNote, ...(signal && { signal }) });
  // Others may have had their turn first.
  const begin = performance.now();
  try {
    signal?.throwIfAborted();
    const look = inspectAttached(attached, {
      all,
      maxPauseMs,
      onNote,
      analyst,
      predictor: predictorOf(pid),
      memory: new MemoryBudget(() => freeMemory(pid), false),
      begin,
      pid,
    });
    return await (signal === undefined ? look : unlessAborted(look, signal));
  } finally {
    await Promise.all([attached.detach(), analyst.close()]);
    signal?.throwIfAborted();
    // Half of what was found is what it refused with.
    await attached.throwIfGone();
  }
}

/** Of each process that was looked into, the last so many. */
const MAX_PREDICTORS = 100;
const predictors = new Map<number, PausePredictor>();

/** Learns from each look into a process. */
function predictorOf(pid: number): PausePredictor {
  const predictor = predictors.get(pid) ?? new PausePredictor();
  predictors.delete(pid);
  predictors.set(pid, predictor);
  if (predictors.size > MAX_PREDICTORS) predictors.delete(predictors.keys().next().value!);
  return predictor;
}

/** What `work` gives, or, as soon as it is aborted, what that was done with; then `work` is left to fail. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
  });
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
