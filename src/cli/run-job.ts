import { serveControl } from '../runtime/control/server.js';
import type { Executor } from '../runtime/executor.js';
import { startExecutor } from '../runtime/start-executor.js';
import { feed, openSource, type FeedState } from './feed.js';
import type { TaskSource } from './input/source.js';
import { needsSpool } from './input/spool.js';
import { Job } from './job.js';
import type { JobControl } from './job-control.js';
import type { RunFlags } from './run-flags.js';

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
  // Told to stop while it started, it runs nothing: not even what its predecessor left running.
  if (control.stopping()) void executor.drain();
  const aborting = new AbortController();
  try {
    const job = await Job.create(flags, control, executor);
    job.onEnding(() => aborting.abort());
    control.onStop((stop) => job.stop(stop));
    const server = await serveControl(executor.runDir, {
      status: () => executor.status(),
      probe: () => executor.probe(),
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
async function openSourceUnless(
  signal: AbortSignal,
  flags: RunFlags,
  executor: Executor,
): Promise<TaskSource | undefined> {
  try {
    return await openSource(flags, executor, await needsSpool(flags.source), signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
