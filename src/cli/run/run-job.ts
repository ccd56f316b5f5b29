import { serveControl } from '../../runtime/control/server.js';
import type { Executor } from '../../runtime/executor.js';
import type { HealthServer } from '../../runtime/health/http-server.js';
import { startExecutor } from '../../runtime/start-executor.js';
import type { TraceLog } from '../../debug/trace/trace-log.js';
import { recordOutput } from '../../runs/output/record-output.js';
import { StateDir } from '../../system/state-dir.js';
import { dumpLongDrains, endTrace, openRunTrace, sayWhere } from '../async-debug.js';
import { feed, handlerFor, openSource, type FeedState } from './feed.js';
import type { TaskSource } from './input/source.js';
import { needsSpool } from './input/spool.js';
import { Job } from './job.js';
import type { JobControl } from './job-control.js';
import { listen } from './listen.js';
import { exitCodeOfSignal } from '../exit-code.js';
import { checkResultsFile } from './results-file.js';
import type { RunFlags } from './run-flags.js';
import { Stops } from './stops.js';
import { tellSystemd } from './tell-systemd.js';
import { tell } from '../screen/terminal.js';

/**
 * Runs one job, from the start of its executor to its closing summary.
 *
 * @returns the exit code
 * @throws what ends the command before a single task is taken
 */
export async function runJob(flags: RunFlags, control: JobControl): Promise<number> {
  const stops = new Stops(control, flags.executor.graceMs);
  const health = await listen(flags, control);
  const { dir, runId } = flags.executor;
  const trace = await openRunTrace({ runDir: new StateDir(dir).runDir(runId), runId });
  if (trace !== undefined && control.carried === undefined && !flags.quiet) sayWhere(trace);
  try {
    return await runExecutor(flags, control, { health, trace, stops });
  } catch (error) {
    if (error !== stops.endStart.reason) throw error;
    const { signal } = stops.early!;
    const then = control.carried === undefined ? 'no task was taken' : 'the same command goes on with the rest';
    if (!flags.quiet) tell(`${signal} while the run started: ${then}`);
    return exitCodeOfSignal(signal);
  } finally {
    await endTrace(trace, true);
    await health?.close();
  }
}

async function runExecutor(
  flags: RunFlags,
  control: JobControl,
  { health, trace, stops }: { health: HealthServer | undefined; trace: TraceLog | undefined; stops: Stops },
): Promise<number> {
  const first = control.carried === undefined;
  const fresh = flags.fresh && first;
  const aborting = new AbortController();
  stops.endStart.addEventListener('abort', () => aborting.abort());
  let checked: TaskSource | undefined;
  const check = async (handlers: ReadonlySet<string>) => {
    if (flags.results !== undefined && flags.results !== '-') await checkResultsFile(flags.results);
    checked = await open(flags, handlers, aborting.signal);
  };
  const started = await startExecutor(flags.executor, {
    ...control.start,
    input: {
      source: flags.source.kind,
      handler: (handlers) => handlerFor(flags, handlers),
      first,
      ...(fresh && { check }),
    },
    fresh,
    signal: stops.endStart,
    captureOutput: true,
  });
  const { executor, recovery, mended } = started;
  const endOutput = recordOutput(executor, { fresh });
  // Told to stop while it started, it runs nothing: not even what its predecessor left running.
  if (stops.early !== undefined) void executor.drain();
  health?.serve(executor);
  if (trace !== undefined) {
    dumpLongDrains(executor, trace);
    void trace.start();
  }
  let interrupted = false;
  let told: ReturnType<typeof tellSystemd>;
  try {
    const job = await Job.create(flags, control, started, health?.address.port);
    if (mended !== undefined) executor.emit('warning', mended);
    told = tellSystemd(executor);
    job.onEnding(() => aborting.abort());
    stops.listen((stop) => {
      if (stop.force && !interrupted) {
        interrupted = true;
        // What it was that took too long.
        void trace?.dump('drain');
      }
      job.stop(stop);
    });
    const server = await serveControl(executor.runDir, {
      status: () => executor.status(),
      probe: () => executor.probe(),
      pause: () => executor.pause(),
      resume: () => job.resume(),
      drain: () => job.drain(),
    });
    executor.announce(server.path);
    try {
      const source = checked ?? (await openSourceUnless(aborting.signal, flags, executor));
      if (source === undefined) return await job.finish(Promise.resolve());
      const { total, leftOut = [], linksNotFollowed = 0 } = source;
      const named = job.namedTasks();
      const state: FeedState = { read: 0, total, finished: false, leftOut, linksNotFollowed, named };
      await job.begin(recovery, state);
      const fed = feed(executor, source, { flags, signal: aborting.signal, state });
      return await job.finish(fed);
    } finally {
      job.close();
      await server.close();
    }
  } finally {
    await endTrace(trace, interrupted);
    // A run in memory is to leave an empty folder, and `stop` removes that.
    if (!flags.executor.durable) endOutput(false);
    await executor.stop();
    endOutput(true);
    await told?.();
  }
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
  return openSource(flags, handlers, { runDir, spooled: await needsSpool(flags.source), signal });
}
