import type { RunStatistics } from './statistics.js';
import type { TaskCounts } from './task.js';

/**
 * Where an executor stands.
 *
 *   running ⇄ paused          claims tasks, or does not; what runs goes on
 *   running ─▶ draining       claims no more; ends when nothing runs
 *   any ─▶ stopping ─▶ stopped
 *   any ─▶ failed ─▶ stopped  the queue, the lock or the pool is gone: claims nothing
 */
export type ExecutorMode = 'running' | 'paused' | 'draining' | 'failed' | 'stopping' | 'stopped';

/** A thread as `status()` shows it. */
export interface ThreadStatus {
  number: number;
  state: 'loading' | 'idle' | 'busy' | 'retiring';
  /** What it is running now; `since` in milliseconds since the epoch. */
  running: { id: string; handler: string; since: number; progress?: { done: number; total?: number } }[];
  /** When its event loop last turned, milliseconds since the epoch; `null`: not yet. */
  lastBeat: number | null;
  tasksDone: number;
  /** Bytes of its heap in use after its last batch. */
  heapUsed: number;
}

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
