import type { HoldfastError } from '../../base/errors.js';
import { reachStore, traitsOf } from '../../runtime/queue/open-queue.js';
import { ExecutorRunningError } from '../../system/lock/executor-running-error.js';
import { lostAtStart } from '../../system/lock/lost-at-start.js';
import { openLockFile } from '../../system/lock/open-file.js';
import type { ProcessLock } from '../../system/lock/process-lock.js';
import { lastDeath } from '../../runtime/last-death.js';
import type { PreviousDeath } from '../../runtime/queue/contract.js';
import { StateDir } from '../../system/state-dir.js';
import { formatDuration } from '../../base/units.js';
import { asyncDebug } from '../async-debug.js';
import { stopTogether } from './ctrl-z.js';
import { exitCodeOfSignal, SIGNALS } from '../exit-code.js';
import { StopRequests } from '../stop-requests.js';
import type { Spooling } from './input/spool.js';
import type { RunFlags } from './run-flags.js';
import { Launch } from './launch.js';
import { runIdOf } from '../arguments/run-id.js';
import { flushed, outliveReaderOfStderr, tell } from '../screen/terminal.js';
import { commandFor } from '../arguments/suggest-command.js';

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
    const taken = await takeLock(stateDir, runId, { check, supervised: checked === undefined });
    const { lock } = taken;
    try {
      if (checked === undefined) return await runSupervised(check, taken, stateDir);
      return await runAlone(checked, taken, stateDir);
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

/** The executor process may be there already, and loads; it does nothing before it gets its job. */
async function runSupervised(check: Check, { lock, launch }: TakenLock, stateDir: StateDir): Promise<number> {
  const { supervisor, keeper } = launch ?? new Launch(stateDir, lock.runId, () => lock.fd);
  for (const signal of SIGNALS) process.on(signal, () => supervisor.stop(signal));
  stopTogether(() => supervisor.executorPid);
  process.on('SIGWINCH', () => supervisor.resize());
  if ((await asyncDebug()) !== undefined) process.on('SIGUSR2', () => supervisor.dump());
  let flags: RunFlags;
  let spooling: Spooling | undefined;
  try {
    flags = await check();
    if (traitsOf(flags.executor).outlivesProcess) keeper.start(lock, !flags.fresh);
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
  /** The executor that was started meanwhile, and shares the lock. */
  launch: Launch | undefined;
}

/** What is wrong with the flags is told first: it would still be wrong with the lock free. */
async function takeLock(
  stateDir: StateDir,
  runId: string,
  { check, supervised }: { check: Check; supervised: boolean },
): Promise<TakenLock> {
  try {
    stateDir.ensureRunDir(runId);
    const taken = await takeWithExecutor(stateDir, runId, supervised);
    const { lock } = taken;
    if (lock.held) return taken;
    const { waitMs = 0, quiet } = await check();
    if (waitMs > 0 && !quiet) {
      const who = lock.holder()?.executorId ?? 'another executor';
      tell(`runtime: waiting up to ${formatDuration(waitMs)} for ${who} to end run ${runId}`);
    }
    await lock.acquire({ waitMs });
    return taken;
  } catch (error) {
    await check();
    if (!(error instanceof ExecutorRunningError)) throw error;
    const hint = `See what it does: ${commandFor(`status ${runId}`, stateDir.root)}. Or wait for its end: --wait 10m.`;
    throw new ExecutorRunningError({ runId, path: error.path, holder: error.holder, hint });
  }
}

/**
 * Takes the lock, if it is free. A lock belongs to the open file, so the executor is
 * started first, with the descriptor of the file that is to be locked: it loads
 * while this process loads the locks of the kernel, and checks the flags. Where it has
 * not got the lock by that, it ends, and another one is to be started.
 */
async function takeWithExecutor(stateDir: StateDir, runId: string, supervised: boolean): Promise<TakenLock> {
  const path = stateDir.lockPath(runId);
  const file = supervised ? openLockFile(path) : undefined;
  let lock: ProcessLock | undefined;
  const launch = file && new Launch(stateDir, runId, () => (lock === undefined ? file.fd : lock.fd));
  try {
    const { ProcessLock } = await import('../../system/lock/process-lock.js');
    const taking = new ProcessLock({ path, runId });
    // With a supervisor, nothing is concluded from it; and there is a file by now that tells nothing.
    const previousDeath = supervised ? 'unseen' : lastDeath(taking);
    const isTaken = taking.tryAcquireBy(file);
    lock = taking;
    if (launch === undefined || (isTaken && lock.fd === file!.fd)) return { lock, previousDeath, launch };
    await launch.supervisor.abandon();
    // It may have been that executor's descriptor that was in the way.
    if (!isTaken) lock.tryAcquire();
    return { lock, previousDeath, launch: undefined };
  } catch (error) {
    await launch?.supervisor.abandon();
    throw error;
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
