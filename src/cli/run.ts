import { fileURLToPath } from 'node:url';
import { ProcessLock } from '../runtime/lock/process-lock.js';
import { StateDir } from '../runtime/state-dir.js';
import { Supervisor } from '../runtime/supervisor/supervisor.js';
import { parseDuration } from '../runtime/units.js';
import type { RunFlags } from './run-flags.js';
import { runIdOf } from './run-id.js';
import type { Carried } from './run-job.js';

const EXECUTOR_PROCESS = fileURLToPath(new URL('./executor-process.js', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Given = Record<string, unknown>;

/**
 * `runtime run`: the supervisor's side, or all of it with `--no-supervise`.
 * @param extra arguments that no flag took
 */
export async function run(module: string | undefined, given: Given, extra: readonly string[]): Promise<number> {
  const check = async () => (await import('./run-flags.js')).resolveRunFlags(module, given, extra);
  return given['supervise'] === false ? runAlone(await check()) : runSupervised(module, given, check);
}

/** One process: lock, executor and signals are all its own. */
async function runAlone(flags: RunFlags): Promise<number> {
  const { runJob } = await import('./run-job.js');
  const { dir, runId } = flags.executor;
  const stateDir = new StateDir(dir);
  stateDir.ensureRunDir(runId);
  const lock = await new ProcessLock({ path: stateDir.lockPath(runId), runId }).acquire({ waitMs: flags.waitMs ?? 0 });
  let signals = 0;
  try {
    await spool(flags, stateDir);
    const exitCode = await runJob(flags, {
      start: { lock },
      carried: undefined,
      restarts: 0,
      onStop: (listener) => {
        for (const signal of SIGNALS) {
          process.on(signal, () => listener({ type: 'stop', signal, force: ++signals > 1 }));
        }
      },
      progressed: () => {},
      carry: () => {},
    });
    process.exitCode = exitCode;
  } finally {
    await endSpool(flags, stateDir);
    lock.release();
  }
  // Standard input may still be open, and threads in native code that does not return.
  process.exit();
}

/**
 * The supervisor starts the executor process before it has checked the flags:
 * both take a while to load, and so they do it at the same time. The executor
 * does nothing before it gets its job.
 */
async function runSupervised(module: string | undefined, given: Given, check: () => Promise<RunFlags>): Promise<number> {
  const runId = (given['runId'] as string | undefined) ?? runIdOf(module ?? 'unknown');
  const stateDir = new StateDir(given['dir'] as string | undefined);
  const lock = await takeLock(stateDir, runId, given, check);
  const supervisor = new Supervisor<RunFlags, Carried>({
    entry: EXECUTOR_PROCESS,
    lockFd: () => lock.fd,
    onDeath: (how, restarting) => {
      const next = restarting ? 'starting another' : 'giving up; the same command continues the run';
      process.stderr.write(`runtime: the executor of ${runId} ${how}; ${next}\n`);
    },
  });
  try {
    const flags = await check();
    await spool(flags, stateDir);
    for (const signal of SIGNALS) process.on(signal, () => supervisor.stop(signal));
    process.exitCode = await supervisor.run(flags, flags.executor.maxCrashes, flags.executor.graceMs);
    await endSpool(flags, stateDir);
    lock.release();
    // Standard input may still be open.
    process.exit();
  } catch (error) {
    supervisor.abandon();
    lock.release();
    throw error;
  }
}

/** What is wrong with the flags is told first: it would still be wrong with the lock free. */
async function takeLock(stateDir: StateDir, runId: string, given: Given, check: () => Promise<RunFlags>): Promise<ProcessLock> {
  try {
    stateDir.ensureRunDir(runId);
    const lock = new ProcessLock({ path: stateDir.lockPath(runId), runId });
    const wait = given['wait'] as string | undefined;
    return await lock.acquire(wait === undefined ? {} : { waitMs: parseDuration(wait) });
  } catch (error) {
    await check();
    throw error;
  }
}

async function spool(flags: RunFlags, stateDir: StateDir): Promise<void> {
  if (flags.source.kind === 'each') return;
  const { needsSpool, spoolStdin } = await import('./input/spool.js');
  if (!(await needsSpool(flags.source))) return;
  const { streamOf } = await import('./feed.js');
  if (process.stdin.isTTY && !flags.quiet) process.stderr.write('runtime: reading tasks from the terminal; Ctrl-D ends them\n');
  await spoolStdin(streamOf(flags.source), stateDir.runDir(flags.executor.runId));
}

/** What was kept of standard input serves the executors of this command only. */
async function endSpool(flags: RunFlags, stateDir: StateDir): Promise<void> {
  if (flags.source.kind === 'each') return;
  const { removeSpool } = await import('./input/spool.js');
  await removeSpool(stateDir.runDir(flags.executor.runId));
}
