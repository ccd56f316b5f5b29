import type { Beat } from './health/heartbeat.js';
import type { LastError } from './health/last-error.js';
import type { RunStatistics } from './statistics.js';
import type { TaskCounts } from './task/task.js';
import type { ThreadStatus } from './thread-status.js';

/**
 * Whether an executor takes tasks, or how far its end is.
 *
 *   running ⇄ paused          claims tasks, or does not; what runs goes on
 *   running ─▶ draining       claims no more; ends when nothing runs
 *   any ─▶ stopping ─▶ stopped
 *   any ─▶ failed ─▶ stopped  the queue, the lock or the pool is gone: claims nothing
 */
export type ExecutorMode = 'running' | 'paused' | 'draining' | 'failed' | 'stopping' | 'stopped';

/** What `status()` gives. Plain data. */
export interface ExecutorStatus {
  runId: string;
  mode: ExecutorMode;
  /** Raised by one with each executor of this run. */
  epoch: number;
  /** Of all executors of the run. */
  counts: TaskCounts;
  /** Milliseconds until the next delayed task is due, 0 if it is; `null`: none is delayed. */
  nextDueMs: number | null;
  threads: ThreadStatus[];
  /** Of this executor. */
  statistics: RunStatistics;
  health: HealthStatus;
  /** Why it failed, if it did. */
  error?: { code: string | undefined; message: string };
}

/** What the heartbeat of an executor found. */
export interface HealthStatus {
  /** False while beats are missed, and for good once the executor has failed. */
  healthy: boolean;
  /** Why it is not healthy; `null`: it is. */
  why: string | null;
  lastBeat: Beat | null;
  /** Beats that did not come, since the executor started. */
  missedBeats: number;
  /** What went wrong last, for as long as nothing of the same kind has gone well since. */
  lastError: LastError | null;
}

/** `live`: it need not be ended; `ready`: it takes tasks; `startup`: it has started. */
export type ProbeName = 'live' | 'ready' | 'startup';

/** The answer to a probe, and why it is so. */
export interface ProbeAnswer {
  ok: boolean;
  /** A few words. */
  why: string;
}

/** What `probe()` gives: an answer to each probe. */
export type ProbeAnswers = Record<ProbeName, ProbeAnswer>;
