import { fileURLToPath } from 'node:url';
import type { HoldfastError } from '../../base/errors.js';
import { reachStore, traitsOf } from '../../runtime/queue/open-queue.js';
import { ExecutorRunningError } from '../../system/lock/executor-running-error.js';
import { lostAtStart } from '../../system/lock/lost-at-start.js';
import { ProcessLock } from '../../system/lock/process-lock.js';
import { lastDeath } from '../../runtime/last-death.js';
import type { PreviousDeath } from '../../runtime/queue/contract.js';
import { StateDir } from '../../system/state-dir.js';
import { Supervisor } from '../../runtime/supervisor/supervisor.js';
import { formatDuration } from '../../base/units.js';
import { asyncDebug } from '../async-debug.js';
import { stopTogether } from './ctrl-z.js';
import { exitCodeOfSignal, SIGNALS } from '../exit-code.js';
import { StopRequests } from '../stop-requests.js';
import type { Spooling } from './input/spool.js';
import type { RunFlags } from './run-flags.js';
import { RunKeeper } from './run-keeper.js';
import { runIdOf } from '../arguments/run-id.js';
import type { Carried } from './job/job-control.js';
import { clearLeftoverBar, flushed, outliveReaderOfStderr, tell } from '../screen/terminal.js';
import { commandFor } from '../arguments/suggest-command.js';

const EXECUTOR_PROCESS = fileURLToPath(new URL('./executor-process.js', import.meta.url));

type Given = Record<string, unknown>;
type Check = () => Promise<RunFlags>;

/**
 * `runtime run`: the supervisor's side, or all of it with `--no-supervise`.
 * @param extra arguments that no flag took
 */
export async function run(module: string | undefined, given: Given, extra: readonly string[]): Promise<number> {
  outliveReaderOfStderr();
  // A reader of standard output that goes is dealt with where it is written to.
  process.stdout.on('error', () => {});
  const check = async () => {
    const flags = (await import('./run-flags.js')).resolveRunFlags(module, given, extra);
    if (flags.results !== undefined) {
      const { refuseOwnResults } = await import('../arguments/own-files.js');
      refuseOwnResults(flags, given['config'] as string | undefined, new StateDir(flags.executor.dir));
    }
    return flags;
  };
  if (given['preview'] === true) {
    const flags = await check();
    return (await import('./preview/preview.js')).preview(flags);
  }
  // Without a module there is nothing to be quick for.
  const checked = module === undefined || given['supervise'] === false ? await check() : undefined;
  const runId = (given['runId'] as string | undefined) ?? runIdOf(module!);
  const stateDir = new StateDir(given['dir'] as string | undefined);
  try {
    const { lock, previousDeath } = await takeLock(stateDir, runId, check);
    try {
      if (checked === undefined) return await runSupervised(check, lock, stateDir);
      return await runAlone(checked, { lock, previousDeath }, stateDir);
    } finally {
      // Only under the lock: whoever has it next may be about to use the folder.
      if (lock.stillHeld()) stateDir.removeUnusedRunDir(runId);
      lock.release();
    }
  } finally {
    stateDir.removeUnused();
  }
}

/** One process: lock, executor and signals are all its own. */
async function runAlone(flags: RunFlags, { lock, previousDeath }: TakenLock, stateDir: StateDir): Promise<number> {
  // Its keeper takes a while to load, and so does all else.
  const store = reachStore(flags.executor, stateDir.runDir(lock.runId), lock);
  const { runJob } = await import('./run-job.js');
  const requests = new StopRequests();
  stopTogether(() => process.pid);
  let spooling: Spooling | undefined;
  try {
    spooling = await spool(flags, lock, stateDir);
    const lost = lostInput(spooling, () => {
      if (!requests.any) requests.ask('SIGTERM');
    });
    const exitCode = await runJob(flags, {
      start: { lock, previousDeath, store },
      carried: undefined,
      restarts: 0,
      data: process.stdout,
      linesBefore: 0,
      onStop: requests.onStop,
      progressed: () => {},
      carry: () => {},
    });
    if (lost.error !== undefined) throw lost.error;
    return exitCode;
  } finally {
    await store.end().catch(() => {});
    await endSpool(spooling, lock);
  }
}

/**
 * The supervisor starts the executor process before it has checked the flags:
 * both take a while to load, and so they do it at the same time. The executor
 * does nothing before it gets its job.
 */
async function runSupervised(check: Check, lock: ProcessLock, stateDir: StateDir): Promise<number> {
  const keeper = new RunKeeper(stateDir.runDir(lock.runId), lock);
  const supervisor = new Supervisor<RunFlags, Carried>({
    entry: EXECUTOR_PROCESS,
    lockFd: () => lock.fd,
    output: process.stdout,
    keep: (line) => keeper.serve(line),
    onDeath: (how, restarting) => {
      clearLeftoverBar();
      const next = restarting ? 'starting another' : 'giving up; the same command continues the run';
      tell(`runtime: the executor of ${lock.runId} ${how}; ${next}`);
    },
  });
  for (const signal of SIGNALS) process.on(signal, () => supervisor.stop(signal));
  stopTogether(() => supervisor.executorPid);
  process.on('SIGWINCH', () => supervisor.resize());
  if ((await asyncDebug()) !== undefined) process.on('SIGUSR2', () => supervisor.dump());
  let flags: RunFlags;
  let spooling: Spooling | undefined;
  try {
    flags = await check();
    if (traitsOf(flags.executor).outlivesProcess) keeper.start(!flags.fresh);
    spooling = await spool(flags, lock, stateDir);
  } catch (error) {
    await supervisor.abandon();
    await keeper.end().catch(() => {});
    throw error;
  }
  const lost = lostInput(spooling, () => {
    if (!supervisor.isStopping) supervisor.stop('SIGTERM');
  });
  const exitCode = await supervisor.run(flags, flags.executor, traitsOf(flags.executor).outlivesProcess);
  await keeper.end().catch((error: Error) => tell(`runtime: ${error.message}`));
  await endSpool(spooling, lock);
  if (lost.error !== undefined) throw lost.error;
  if (!supervisor.outputLost) await flushed(process.stdout);
  return supervisor.outputLost ? exitCodeOfSignal('SIGPIPE') : exitCode;
}

interface TakenLock {
  lock: ProcessLock;
  /** What its last holder left behind tells of its end, if it had no supervisor. */
  previousDeath: PreviousDeath;
}

/** What is wrong with the flags is told first: it would still be wrong with the lock free. */
async function takeLock(stateDir: StateDir, runId: string, check: Check): Promise<TakenLock> {
  try {
    stateDir.ensureRunDir(runId);
    const lock = new ProcessLock({ path: stateDir.lockPath(runId), runId });
    const previousDeath = lastDeath(lock);
    if (lock.tryAcquire()) return { lock, previousDeath };
    const { waitMs = 0, quiet } = await check();
    if (waitMs > 0 && !quiet) {
      const who = lock.holder()?.executorId ?? 'another executor';
      tell(`runtime: waiting up to ${formatDuration(waitMs)} for ${who} to end run ${runId}`);
    }
    await lock.acquire({ waitMs });
    return { lock, previousDeath };
  } catch (error) {
    await check();
    if (!(error instanceof ExecutorRunningError)) throw error;
    const hint = `See what it does: ${commandFor(`status ${runId}`, stateDir.root)}. Or wait for its end: --wait 10m.`;
    throw new ExecutorRunningError({ runId, path: error.path, holder: error.holder, hint });
  }
}

async function spool(flags: RunFlags, lock: ProcessLock, stateDir: StateDir): Promise<Spooling | undefined> {
  if (flags.source.kind === 'each') return undefined;
  const { needsSpool, spoolStdin } = await import('./input/spool.js');
  if (!(await needsSpool(flags.source))) return undefined;
  const { streamOf } = await import('./input/feed.js');
  if (flags.typed && !flags.quiet) process.stderr.write('runtime: reading tasks from the terminal; Ctrl-D ends them\n');
  const runDir = stateDir.ensureRunDir(lock.runId);
  // What an earlier command left there is removed.
  if (!lock.stillHeld()) throw lostAtStart(lock);
  return spoolStdin(streamOf(flags.source), runDir);
}

/** Ends a run, as a signal does, that would wait for the rest of its input for ever. */
function lostInput(spooling: Spooling | undefined, stop: () => void): { error: HoldfastError | undefined } {
  const lost: { error: HoldfastError | undefined } = { error: undefined };
  void spooling?.unheard.then((error) => {
    lost.error = error;
    stop();
  });
  return lost;
}

/** What was kept of standard input serves the executors of this command only. */
async function endSpool(spooling: Spooling | undefined, lock: ProcessLock): Promise<void> {
  if (lock.stillHeld()) await spooling?.remove();
}
