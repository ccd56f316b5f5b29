import type { RunStatistics } from './statistics.js';
import type { TaskCounts } from './task.js';
import type { ThreadStatus } from './thread-status.js';

/**
 * Where an executor stands.
 *
 *   running ⇄ paused          claims tasks, or does not; what runs goes on
 *   running ─▶ draining       claims no more; ends when nothing runs
 *   any ─▶ stopping ─▶ stopped
 *   any ─▶ failed ─▶ stopped  the queue, the lock or the pool is gone: claims nothing
 */
export type ExecutorMode = 'running' | 'paused' | 'draining' | 'failed' | 'stopping' | 'stopped';

export interface ExecutorStatus {
  runId: string;
  mode: ExecutorMode;
  /** Raised by one with each executor of this run. */
  epoch: number;
  counts: TaskCounts;
  threads: ThreadStatus[];
  statistics: RunStatistics;
  /** Why it failed, if it did. */
  error?: { code: string | undefined; message: string };
}
