import { hostname } from 'node:os';
import { HoldfastError } from '../../base/errors.js';
import type { LockHolder } from './holder.js';

/** The lock of a run is held, by another process or by this one (`ERR_EXECUTOR_RUNNING`). */
export class ExecutorRunningError extends HoldfastError {
  override readonly name = 'ExecutorRunningError';
  readonly runId: string;
  /** Of the lock file. */
  readonly path: string;
  /** Who holds it; `undefined` when the holder has left no readable details. */
  readonly holder: LockHolder | undefined;

  /** `hint`: what to do about it. Default: see what the run does, or wait. */
  constructor({
    runId,
    path,
    holder,
    hint,
  }: {
    runId: string;
    path: string;
    holder: LockHolder | undefined;
    hint?: string | undefined;
  }) {
    super(
      'ERR_EXECUTOR_RUNNING',
      `Another executor is already running: run "${runId}" is held by ${who(holder)} (lock: ${path})`,
      { hint: hint ?? `See what it does with: runtime status ${runId}. Or wait until it ends.` },
    );
    this.runId = runId;
    this.path = path;
    this.holder = holder;
  }
}

function who(holder: LockHolder | undefined): string {
  if (!holder) return 'a process that left no details';
  // Two containers often have the same pid, and a folder in common.
  const isSelf = holder.pid === process.pid && holder.hostname === hostname();
  const name = isSelf ? `${holder.executorId}, which is this very process,` : holder.executorId;
  return `${name} in ${holder.cwd} since ${holder.startedAt}`;
}
