/**
 * holdfast: runs functions as tasks on worker threads, for one host.
 *
 * `createExecutor` is the way in; everything else is what it takes, gives or throws.
 */
import type { InspectProcessOptions } from './debug/inspect-process.js';
import type { InspectSelfOptions } from './debug/inspect-self.js';
import type { Inspection } from './debug/inspection.js';
import type { Executor } from './runtime/executor.js';
import type { AnyHandler } from './runtime/task/handlers.js';
import { changesInWords } from './runtime/identity.js';
import { resolveOptions, type ExecutorOptions } from './runtime/options.js';
import { hostRun } from './runs/host-run.js';

/**
 * Starts the executor of a run: takes its lock, opens its queue, and goes on
 * with what an earlier executor of the same run id left undone.
 *
 * Give it the module's type, and tasks are typed:
 * `createExecutor<typeof import('./handlers.js')>({ runId, handlers: new URL('./handlers.js', import.meta.url) })`.
 *
 * @throws InvalidInputError (`ERR_INVALID_OPTIONS`, `ERR_INVALID_RUN_ID`) with every fault of the options;
 * ExecutorRunningError (`ERR_EXECUTOR_RUNNING`) when another executor holds the lock of this run;
 * `ERR_HANDLER_MODULE` when the module is missing or does not load; `ERR_RUN_MISMATCH` when
 * the run is of another module; `ERR_STATE_DIR`;
 * `ERR_LOCK_PATH`; the errors of the queue (`ERR_QUEUE_…`)
 */
export async function createExecutor<Module = Record<string, AnyHandler>>(
  options: ExecutorOptions,
): Promise<Executor<Module>> {
  const resolved = resolveOptions(options);
  const { executor, mended, change } = await hostRun<Module>(resolved);
  const lines = changesInWords(resolved.runId, change);
  const warnings = [...lines.map((line) => new Error(line)), ...(mended === undefined ? [] : [mended])];
  // In the next turn: whoever made it is to hear them.
  if (warnings.length > 0) setImmediate(() => warnings.forEach((warning) => executor.emit('warning', warning)));
  return executor;
}

/**
 * Inspects a running Node process of the same user, which need not be
 * prepared in any way, and leaves it as it was: what each thread runs and awaits. Only on Linux.
 *
 * @throws HoldfastError `ERR_INSPECT_TARGET` when it cannot be inspected, and why; `ERR_INSPECT_BUSY` when
 * another inspection does not end; what `options.signal` was aborted with
 */
export async function inspectProcess(pid: number, options?: InspectProcessOptions): Promise<Inspection> {
  // Loaded when it is called: it takes 40 ms, and most programs never do.
  const debug = await import('./debug/inspect-process.js');
  return await debug.inspectProcess(pid, options);
}

/**
 * Inspects the process that calls it: from the main thread all threads are seen, from another one only itself.
 *
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` when `maxPauseMs` is not a duration; what `options.signal` was aborted with
 */
export async function inspectSelf(options?: InspectSelfOptions): Promise<Inspection> {
  const debug = await import('./debug/inspect-self.js');
  return await debug.inspectSelf(options);
}

export {
  defineConfig,
  type DryRunConfig,
  type DurationText,
  type RunConfig,
  type RuntimeConfig,
  type SizeText,
  type SmokeConfig,
} from './config/runtime-config.js';
export type { InspectOptions, InspectProcessOptions } from './debug/inspect-process.js';
export type { InspectSelfOptions } from './debug/inspect-self.js';
export type {
  AwaitBranch,
  CreationSite,
  Frame,
  Handle,
  HooksSnapshot,
  OpenStream,
  Inspection,
  Leaf,
  LeafKind,
  Place,
  Step,
  TaskReference,
  ThreadInspection,
} from './debug/inspection.js';
export {
  defineEvents,
  type About,
  type Draw,
  type DryRunEvent,
  type EventMaker,
  type EventOf,
  type EventSet,
  type EventType,
  type Schema,
  type SchemaIssue,
  type SchemaResult,
} from './dryrun/events/event-set.js';
export { generateEvents, type GenerateOptions } from './dryrun/plan/generate.js';
export type { Pattern } from './dryrun/plan/patterns.js';
export { tradingEvents } from './dryrun/events/trading-schemas.js';
export type { Instrument, Order, Position, Trade } from './dryrun/events/trading-events.js';
export type { Executor } from './runtime/executor.js';
export type { MapOptions, OutcomeOptions, OutcomesOptions, StopOptions } from './runtime/executor-parts.js';
export type {
  ExecutorEvents,
  TaskLogged,
  TaskProgressed,
  TaskRetrying,
  TaskStarted,
  TasksStuck,
  TeardownFailed,
} from './runtime/executor-events.js';
export type { Percentiles } from './base/duration-summary.js';
export type { LeftInThread } from './runtime/left-in-threads.js';
export type { AnyHandler, HandlerInput, HandlerName, HandlerResult } from './runtime/task/handlers.js';
export type { Duration, ExecutorOptions, Size } from './runtime/options.js';
export type { EnqueuedTask, SubmitOptions, TaskOptions, TaskToEnqueue } from './runtime/task/new-task.js';
export type { Beat } from './runtime/health/heartbeat.js';
export type { UnendedThread } from './runtime/pool/thread/unended.js';
export type { LastError } from './runtime/health/last-error.js';
export type {
  ExecutorMode,
  ExecutorStatus,
  HealthStatus,
  ProbeAnswer,
  ProbeAnswers,
  ProbeName,
} from './runtime/status.js';
export type { RunStatistics } from './runtime/statistics.js';
export type { RunningTaskStatus, ThreadStatus, ThreadSummary } from './runtime/thread-status.js';
export type { RecordedOutcome, TaskOutcome } from './runtime/task/task-outcome.js';
export type { EarlierAttempt, OutcomeState, TaskCounts, TaskErrorRecord, TaskState } from './runtime/task/task.js';
export type { LogCall, TaskContext, TaskLog } from './runtime/thread/context.js';
export type { LogLevel, Printers } from './runtime/thread/protocol.js';
export type { ChildOptions, StartChild } from './runtime/thread/task-children.js';
export type { ThreadContext } from './runtime/thread/handler-module.js';
export type { TeardownLoss } from './runtime/teardowns.js';
export {
  ERROR_CODES,
  HoldfastError,
  InvalidInputError,
  type ErrorCode,
  type Fault,
  type HoldfastErrorOptions,
} from './base/errors.js';
export { TaskError } from './runtime/task/task-error.js';
export { ExecutorRunningError } from './system/lock/executor-running-error.js';
export type { LockHolder } from './system/lock/holder.js';
export { ProcessLock, type AcquireOptions, type ProcessLockOptions } from './system/lock/process-lock.js';
export type { LossReason } from './system/lock/watch.js';
export {
  assertPostConditions,
  runPostConditions,
  type Finding,
  type PostCondition,
  type PostConditionOptions,
  type PostConditionResult,
  type Severity,
} from './smoke/post-conditions.js';
export type { SmokeContext, SmokeEvent } from './smoke/context.js';
export type { HealthSnapshot } from './runtime/health/snapshot.js';
export type { EventSource } from './smoke/event-source.js';
