import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Executor, type ExecutorParts } from './executor.js';
import { ProcessLock } from './lock/process-lock.js';
import type { ResolvedOptions } from './options.js';
import { Dispatcher } from './pool/dispatcher.js';
import type { PreviousDeath, Recovery, TaskQueue } from './queue/contract.js';
import { StateDir } from './state-dir.js';

/** In the folder of a run. */
export const QUEUE_FILE = 'queue.db';

/** What `runtime run` knows beyond the options that everybody has. */
export interface StartSettings {
  /** Descriptor of the lock that the supervisor holds and shares. Default: the lock is taken here. */
  lockFd?: number;
  /** How long to wait for another executor to end, in ms. Default 0. */
  waitMs?: number;
  /** How the executor before this one ended. Default: nobody saw it. */
  previousDeath?: PreviousDeath;
  /** Called once the lock is held, before anything else. */
  afterLock?(): Promise<void>;
  /** Removes what earlier executors of this run recorded. Default false. */
  fresh?: boolean;
  /** Whether what handlers print is told as `output` events. Default false: it goes to stdout and stderr. */
  captureOutput?: boolean;
}

export interface StartedExecutor<Module> {
  executor: Executor<Module>;
  /** What the executor before this one left behind. */
  recovery: Recovery;
}

/**
 * Starts an executor: lock, then threads and queue, then what the last one left.
 *
 * @throws ExecutorRunningError when another one holds the lock; ERR_HANDLER_MODULE;
 * ERR_STATE_DIR; the errors of the queue. Nothing is left behind then.
 */
export async function startExecutor<Module>(
  options: ResolvedOptions,
  settings: StartSettings = {},
): Promise<StartedExecutor<Module>> {
  const stateDir = new StateDir(options.dir);
  const runDir = stateDir.ensureRunDir(options.runId);
  const lock = new ProcessLock({ path: stateDir.lockPath(options.runId), runId: options.runId });
  if (settings.lockFd === undefined) await lock.acquire({ waitMs: settings.waitMs ?? 0 });
  else lock.adopt(settings.lockFd);
  let queue: TaskQueue | undefined;
  let dispatcher: Dispatcher | undefined;
  try {
    await settings.afterLock?.();
    if (settings.fresh) forget(runDir);
    dispatcher = new Dispatcher(dispatcherSettings(options, settings));
    // Threads take their time to load; the queue is opened meanwhile.
    const loading = dispatcher.pool.start();
    loading.catch(() => {});
    queue = await openQueue(options, runDir);
    const handlers = await loading;
    const recovery = await queue.recover(settings.previousDeath ?? 'unseen', options.maxCrashes);
    const parts: ExecutorParts = { options, runDir, lock, queue, dispatcher, handlers: new Set(handlers) };
    const executor = new Executor<Module>(parts);
    dispatcher.open(queue, await queue.suspects());
    return { executor, recovery };
  } catch (error) {
    await dispatcher?.end();
    await queue?.close();
    lock.release();
    throw error;
  }
}

function forget(runDir: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(runDir, `${QUEUE_FILE}${suffix}`), { force: true });
}

async function openQueue({ durable }: ResolvedOptions, runDir: string): Promise<TaskQueue> {
  // Each store is loaded only when it is used: starting fast is part of the job.
  if (!durable) return (await import('./queue/memory-queue.js')).openMemoryQueue();
  return (await import('./queue/sqlite-queue.js')).openSqliteQueue(join(runDir, QUEUE_FILE));
}

function dispatcherSettings(options: ResolvedOptions, { captureOutput = false }: StartSettings) {
  return {
    module: options.handlers,
    threads: options.threads,
    lanes: options.concurrency,
    captureOutput,
    memory: options.memoryBytes,
    recycleAfterTasks: options.recycleAfterTasks,
    recycleAboveMemory: options.recycleAboveBytes,
    retries: options.retries,
    backoffBase: options.backoff.baseMs,
    backoffMax: options.backoff.maxMs,
    maxCrashes: options.maxCrashes,
    timeout: options.timeoutMs,
    grace: options.graceMs,
    stallAfter: options.stallAfterMs,
  };
}
