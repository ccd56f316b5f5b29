import { HoldfastError } from '../base/errors.js';
import type { ReadHealth } from '../runtime/health/snapshot.js';
import type { ExecutorStatus } from '../runtime/status.js';
import type { TaskCounts } from '../runtime/task/task.js';
import type { StateDir } from '../system/state-dir.js';
import { askRun } from './ask-run.js';
import { lastHealth, lockOf, recordedCounts } from './run-files.js';

/** A run, as far as it can be seen from outside. */
export interface RunView {
  runId: string;
  /** `idle`: no executor holds its lock; `silent`: one does, but does not answer; else the executor's mode. */
  state: ExecutorStatus['mode'] | 'idle' | 'silent';
  /** What the executor tells, else what is recorded; `null`: nothing is. */
  counts: TaskCounts | null;
  holder: { pid: number; hostname: string; startedAt: string } | null;
  /** Only while an executor answers. */
  executor: ExecutorStatus | null;
  /** Only while none does: what the last one wrote of its health, and what of it cannot be read. */
  lastSeen: ReadHealth | null;
  /** What cannot be seen, and why. */
  problem: string | null;
}

/** The lock first, which is true at once; then the executor is asked, and where none answers, its files. */
export async function seeRun(stateDir: StateDir, runId: string): Promise<RunView> {
  const lock = lockOf(stateDir, runId);
  const held = lock.isLocked();
  const holder = (held && lock.holder()) || null;
  const view: RunView = {
    runId,
    state: held ? 'silent' : 'idle',
    counts: null,
    holder: holder && { pid: holder.pid, hostname: holder.hostname, startedAt: holder.startedAt },
    executor: null,
    lastSeen: null,
    problem: null,
  };
  if (held) {
    const executor = await unlessRefused(view, () => askRun(stateDir, runId, 'status'));
    if (executor !== undefined) return { ...view, state: executor.mode, counts: executor.counts, executor };
  }
  view.lastSeen = lastHealth(stateDir, runId);
  view.counts = (await unlessRefused(view, () => recordedCounts(stateDir, runId))) ?? null;
  return view;
}

/** What is refused with a sentence is the problem of the view. */
async function unlessRefused<Seen>(view: RunView, look: () => Promise<Seen>): Promise<Seen | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    view.problem = error.message;
    return undefined;
  }
}
