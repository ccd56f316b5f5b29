import { serveControl } from '../runtime/control/server.js';
import type { Executor } from '../runtime/executor.js';
import { startExecutor, type StartSettings } from '../runtime/start-executor.js';
import type { StopMessage } from '../runtime/supervisor/messages.js';
import type { Outcome } from '../runtime/task.js';
import { feed, openSource, type FeedState } from './feed.js';
import type { TaskSource } from './input/source.js';
import { needsSpool } from './input/spool.js';
import { Job } from './job.js';
import type { RunFlags } from './run-flags.js';

/** What an executor process hands on to its successor. */
export interface Carried {
  /** Milliseconds since the epoch at which the command started. */
  startedAt: number;
  /** Outcomes that were recorded before the command started. */
  before: number;
  /** Deaths of threads so far. */
  crashes: number;
  /** The first outcomes of this command that are not `done`. */
  failures: Outcome[];
  /** Results up to this ordinal went to standard output. */
  printedOrdinal: number;
}

/** What a job depends on, whether it has a supervisor or not. */
export interface JobControl {
  start: StartSettings;
  /** What the executor before this one handed on; `undefined`: this is the first of the command. */
  carried: Carried | undefined;
  /** Starts of an executor after the first. */
  restarts: number;
  /** Stops that came before are told at once. */
  onStop(listener: (stop: StopMessage) => void): void;
  /** An outcome was recorded. */
  progressed(): void;
  carry(carried: Carried): void;
}

/**
 * Runs one job, from the start of its executor to its closing summary.
 *
 * @returns the exit code
 * @throws what ends the command before a single task is taken
 */
export async function runJob(flags: RunFlags, control: JobControl): Promise<number> {
  const first = control.carried === undefined;
  const { executor, recovery } = await startExecutor(flags.executor, {
    ...control.start,
    fresh: flags.fresh && first,
    captureOutput: true,
  });
  const aborting = new AbortController();
  try {
    const job = await Job.create(flags, control, executor);
    job.onEnding(() => aborting.abort());
    control.onStop((stop) => job.stop(stop));
    const server = await serveControl(executor.runDir, {
      status: () => executor.status(),
      pause: () => executor.pause(),
      resume: () => job.resume(),
      drain: () => job.drain(),
    });
    executor.announce(server.path);
    try {
      const source = await openSourceUnless(aborting.signal, flags, executor);
      if (source === undefined) return await job.finish(Promise.resolve());
      const state: FeedState = { read: 0, total: source.total, finished: false };
      await job.begin(recovery, state);
      const fed = feed(executor, source, { flags, signal: aborting.signal, state });
      return await job.finish(fed);
    } finally {
      job.close();
      await server.close();
    }
  } finally {
    await executor.stop();
  }
}

/** `undefined` when the run was told to end before the source was read to its end and checked. */
async function openSourceUnless(signal: AbortSignal, flags: RunFlags, executor: Executor): Promise<TaskSource | undefined> {
  try {
    return await openSource(flags, executor, await needsSpool(flags.source), signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
