import { StateDir } from '../../system/state-dir.js';
import { hostRun } from '../../runs/host-run.js';
import { Stops } from '../../runs/stops.js';
import type { Executor } from '../../runtime/executor.js';
import type { AnyHandler } from '../../runtime/task/handlers.js';
import type { StartedExecutor } from '../../runtime/start-executor.js';
import { openRunTrace, sayWhere } from '../async-debug.js';
import { exitCodeOfSignal } from '../exit-code.js';
import { tell } from '../screen/terminal.js';
import { feed, handlerFor, openSource, type FeedState } from './input/feed.js';
import type { TaskSource } from './input/source.js';
import { followSpool, needsSpool } from './input/spool.js';
import { Job } from './job/job.js';
import type { JobControl } from './job/job-control.js';
import { listen } from './listen.js';
import { checkResultsFile } from './results/results-file.js';
import type { RunFlags } from './run-flags.js';

/**
 * Runs one job, from the start of its executor to its closing summary.
 *
 * @returns the exit code
 * @throws what ends the command before a single task is taken
 */
export async function runJob(flags: RunFlags, control: JobControl): Promise<number> {
  // Where it takes over, it may go on to start for a while: what its predecessor has done is to be told.
  const stops = new Stops(control.onStop, control.carried === undefined ? 0 : flags.executor.graceMs);
  try {
    return await hostJob(flags, control, stops);
  } catch (error) {
    if (error !== stops.endStart.reason) throw error;
    const { signal } = stops.early!;
    const then = control.carried === undefined ? 'no task was taken' : 'the same command goes on with the rest';
    if (!flags.quiet) tell(`${signal} while the run started: ${then}`);
    return exitCodeOfSignal(signal);
  }
}

async function hostJob(flags: RunFlags, control: JobControl, stops: Stops): Promise<number> {
  const first = control.carried === undefined;
  const fresh = flags.fresh && first;
  const { dir, runId } = flags.executor;
  const health = await listen(flags, control);
  const trace = await openRunTrace({ runDir: new StateDir(dir).runDir(runId), runId });
  if (trace !== undefined && first && !flags.quiet) sayWhere(trace);
  /** Ends the reading of the source. */
  const aborting = new AbortController();
  stops.endStart.addEventListener('abort', () => aborting.abort());
  let checked: TaskSource | undefined;
  const check = async (handlers: ReadonlySet<string>) => {
    if (flags.results !== undefined && flags.results !== '-') await checkResultsFile(flags.results);
    checked = await open(flags, handlers, aborting.signal);
  };
  let job!: Job;
  const hosted = await hostRun(flags.executor, {
    start: {
      ...control.start,
      input: {
        source: flags.source.kind,
        handler: (handlers) => handlerFor(flags, handlers),
        first,
        ...(fresh && { check }),
      },
      fresh,
      captureOutput: true,
    },
    stops,
    health,
    trace,
    systemd: true,
    hosts: async (started) => {
      job = await Job.create(flags, control, started, health?.address.port);
      if (started.mended !== undefined) started.executor.emit('warning', started.mended);
      job.onEnding(() => aborting.abort());
      return {
        stop: (stop) => job.stop(stop),
        resume: () => job.resume(),
        drain: () => job.drain(),
        isEnding: () => job.isEnding(),
        retried: (count) => job.retried(count),
      };
    },
  });
  try {
    return await runTasks(job, hosted, { flags, checked, signal: aborting.signal });
  } finally {
    job.close();
    await hosted.end();
  }
}

/** @param given `checked`: the source, where it is open already; `signal`: ends the reading of it */
async function runTasks(
  job: Job,
  { executor, recovery }: StartedExecutor<Record<string, AnyHandler>>,
  { flags, checked, signal }: { flags: RunFlags; checked: TaskSource | undefined; signal: AbortSignal },
): Promise<number> {
  const source = checked ?? (await openSourceUnless(signal, flags, executor));
  if (source === undefined) return job.finish(Promise.resolve());
  const { total, leftOut = [], linksNotFollowed = 0 } = source;
  const state: FeedState = { read: 0, total, finished: false, leftOut, linksNotFollowed, named: job.namedTasks() };
  await job.begin(recovery, state);
  return job.finish(feed(executor, source, { flags, signal, state }));
}

/** `undefined` when the run was told to end before the source was read to its end and checked. */
async function openSourceUnless(
  signal: AbortSignal,
  flags: RunFlags,
  executor: Executor,
): Promise<TaskSource | undefined> {
  try {
    return await open(flags, executor.handlers, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function open(flags: RunFlags, handlers: ReadonlySet<string>, signal: AbortSignal): Promise<TaskSource> {
  const { dir, runId } = flags.executor;
  const runDir = new StateDir(dir).runDir(runId);
  const kept = (await needsSpool(flags.source)) ? () => followSpool(runDir, signal) : undefined;
  return openSource(flags, handlers, { kept, signal });
}
