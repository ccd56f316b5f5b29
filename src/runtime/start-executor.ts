import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Executor } from './executor.js';
import type { ExecutorParts } from './executor-parts.js';
import type { AnyHandler } from './task/handlers.js';
import { admit, type IdentityChange } from './identity.js';
import { lastDeath } from './last-death.js';
import { lookAtThread } from './sighting.js';
import { networkFileSystem } from '../system/network-fs.js';
import { lostAtStart } from '../system/lock/lost-at-start.js';
import { ProcessLock } from '../system/lock/process-lock.js';
import type { ResolvedOptions } from './options.js';
import { Dispatcher } from './pool/dispatcher.js';
import { mendedCounts } from './mended-counts.js';
import { closeQueue, removeIfEmpty } from './run-folder.js';
import { Reaper } from './processes/reaper.js';
import type { PreviousDeath, Recovery, RunIdentity, TaskQueue } from './queue/contract.js';
import { reachStore, type StoreAccess } from './queue/open-queue.js';
import { DRY_RUN_MARK, StateDir } from '../system/state-dir.js';
import { now } from './thread/board.js';
import { unlessAborted } from '../base/unless-aborted.js';

/** What `runtime run` knows beyond the options that everybody has. */
export interface StartSettings {
  /** The run's lock, held already; whoever took it releases it. Default: it is taken here, and released by `stop`. */
  lock?: ProcessLock;
  /** How the queue is reached, begun already; whoever began it ends it. Default: it is begun here. */
  store?: StoreAccess;
  /** How the executor before this one ended. Default: what it left in the lock file tells; with `lock`, nobody saw it. */
  previousDeath?: PreviousDeath;
  /** The signal by which it ended, if it was one. */
  deathSignal?: string;
  /** Ends the start, as long as a module loads or the input is checked: it rejects with the reason of the abort. */
  signal?: AbortSignal;
  /** Where the command reads its tasks from. Default: tasks come from code, and what waits in the queue goes on. */
  input?: RunInput;
  /** Removes what earlier executors of this run recorded, once module and input are known to be good. Default false. */
  fresh?: boolean;
  /** Whether a dry run may start this run over. Default false: it is none any more, whatever it was before. */
  dryRun?: boolean;
  /** Whether what handlers print is told as `output` events. Default false: it goes to stdout and stderr. */
  captureOutput?: boolean;
  /** Whether to wait for all threads to load. Default false: tasks are taken once the first one has. */
  allThreads?: boolean;
  /** Descriptors besides the lock's that stay open until all is ended that tasks have started, should this process die. */
  keepsOpen?: readonly number[];
}

interface RunInput {
  source: NonNullable<RunIdentity['source']>;
  /** The handler of tasks that name none; `undefined`: each names its own. */
  handler(handlers: ReadonlySet<string>): string | undefined;
  /**
   * Whether it is read for the first time: what waits is held back until the input
   * names it. An executor that takes over within one command finds it so.
   */
  first: boolean;
  /** Whether there is anything to read: asked before `fresh` removes anything. What it throws ends the start. */
  check?(handlers: ReadonlySet<string>): Promise<void>;
}

export interface StartedExecutor<Module> {
  executor: Executor<Module>;
  /** What is not as it was when the run was recorded. */
  change: IdentityChange;
  /** The highest seq of what earlier starts left; `undefined` unless the input is read for the first time. */
  lastSeq: number | undefined;
  /** What the executor before this one left behind. */
  recovery: Recovery;
  /** Its counts were wrong, and have been mended; `undefined`: they were right. */
  mended: Error | undefined;
}

/**
 * Starts an executor: lock, then threads and queue, then what the last one left.
 *
 * @throws ExecutorRunningError when another one holds the lock; ERR_HANDLER_MODULE; ERR_RUN_MISMATCH;
 * ERR_STATE_DIR; ERR_LOCK_LOST; the errors of the queue; the reason of `signal`. Nothing is left behind then.
 */
export async function startExecutor<Module = Record<string, AnyHandler>>(
  options: ResolvedOptions,
  settings: StartSettings = {},
): Promise<StartedExecutor<Module>> {
  const stateDir = new StateDir(options.dir);
  const runDir = stateDir.ensureRunDir(options.runId);
  const lock = settings.lock ?? new ProcessLock({ path: stateDir.lockPath(options.runId), runId: options.runId });
  const previousDeath = settings.previousDeath ?? (settings.lock ? 'unseen' : lastDeath(lock));
  if (settings.lock === undefined) await lock.acquire();
  // Who held the lock before may just have taken an empty folder away.
  stateDir.ensureRunDir(options.runId);
  const release = () => {
    if (settings.lock === undefined) letGo(lock);
  };
  const store = settings.store ?? reachStore(options, runDir, lock);
  warnOfNetwork(runDir);
  let queue: TaskQueue | undefined;
  let dispatcher: Dispatcher | undefined;
  let executor: Executor<Module> | undefined;
  const reaper = new Reaper({
    graceMs: options.graceMs,
    holds: () => [lock.fd, ...(settings.keepsOpen ?? [])].filter((fd) => fd !== undefined),
    onTrouble: ({ message }) => {
      executor?.emit('warning', new Error(`what tasks start is ended by nobody if this process is killed: ${message}`));
    },
  });
  const { signal } = settings;
  try {
    signal?.throwIfAborted();
    dispatcher = new Dispatcher(dispatcherSettings(options, settings, reaper));
    // Threads take their time to load; the queue is opened meanwhile.
    const loading = dispatcher.pool.start();
    loading.catch(() => {});
    if (!settings.fresh) queue = await store.open(false);
    const handlers = new Set(await unlessAborted(loading, signal));
    if (settings.allThreads) await unlessAborted(dispatcher.pool.loaded(), signal);
    const { input } = settings;
    const handler = input?.handler(handlers);
    if (input?.check) await unlessAborted(input.check(handlers), signal);
    // What was recorded is removed for a run that can start, and for no other.
    queue ??= await store.open(true);
    const change = await admit(queue, {
      runId: options.runId,
      module: options.handlers,
      handler,
      source: input?.source,
      version: dispatcher.pool.version,
    });
    const mended = mendedCounts(await queue.audit('start'));
    // By a clock that was set back since, they would be waited for until it is there again.
    await queue.capDelays(now() + options.backoff.maxMs);
    const gone = { member: queue.predecessor, death: previousDeath, signal: settings.deathSignal };
    const recovery = await queue.recover(gone, options.maxCrashes);
    const lastSeq = input?.first ? await queue.hold() : undefined;
    if (input === undefined) await queue.letGo();
    const suspects = await queue.suspects();
    // From here on the executor listens.
    if (!lock.stillHeld()) throw lostAtStart(lock);
    // From here on it may hold tasks that nobody can make again.
    if (queue.traits.outlivesProcess && settings.dryRun !== true) rmSync(join(runDir, DRY_RUN_MARK), { force: true });
    const parts: ExecutorParts = {
      options,
      runDir,
      lock,
      release,
      queue,
      dispatcher,
      handlers,
      holds: input !== undefined,
    };
    executor = new Executor<Module>(parts);
    dispatcher.open(queue, suspects);
    return { executor, recovery, mended, change, lastSeq };
  } catch (error) {
    await dispatcher?.end();
    // What went wrong first is what is told, and the lock is let go whatever the queue does.
    await endQueue(queue, store, runDir, lock).catch(() => {});
    release();
    throw error;
  }
}

async function endQueue(queue: TaskQueue | undefined, store: StoreAccess, runDir: string, lock: ProcessLock) {
  if (queue) {
    await closeQueue(queue, runDir, () => lock.stillHeld());
    return;
  }
  await store.end();
  if (lock.stillHeld()) removeIfEmpty(runDir);
}

/** The keeper may hold it a moment longer, and takes its file away then: it is no death that it sees. */
function letGo(lock: ProcessLock): void {
  try {
    if (lock.held) lock.describe({ stopping: true });
  } catch {
    // Its disk is full: who has it next believes that this one was killed.
  }
  lock.release();
}

/** Locks of the kernel, and SQLite, promise nothing across hosts. */
function warnOfNetwork(runDir: string): void {
  const kind = networkFileSystem(runDir);
  if (kind === undefined) return;
  process.emitWarning(`${runDir} lies on a network file system (${kind}): another host may not see its locks`, {
    type: 'HoldfastWarning',
    code: 'HOLDFAST_NETWORK_FILE_SYSTEM',
    detail: 'Keep the state on a local disk: --dir <folder>, or RUNTIME_DIR.',
  });
}

function dispatcherSettings(options: ResolvedOptions, { captureOutput = false }: StartSettings, reaper: Reaper) {
  return {
    module: options.handlers,
    threads: options.threads,
    lanes: options.concurrency,
    captureOutput,
    reaper,
    memory: options.memoryBytes,
    memoryTotal: options.memoryTotalBytes,
    recycleAfterTasks: options.recycleAfterTasks,
    recycleAboveMemory: options.recycleAboveBytes,
    retries: options.retries,
    backoffBase: options.backoff.baseMs,
    backoffMax: options.backoff.maxMs,
    maxCrashes: options.maxCrashes,
    timeout: options.timeoutMs,
    grace: options.graceMs,
    stallAfter: options.stallAfterMs,
    rate: options.rate,
    delayMs: options.delayMs,
    look: lookAtThread,
    now,
  };
}
