import type { HealthSnapshot } from '../runtime/health/snapshot.js';
import type { ExecutorStatus } from '../runtime/status.js';
import type { TaskOutcome } from '../runtime/task/task-outcome.js';

/** One event of a smoke test, and what became of it. */
export interface SmokeEvent {
  /** Of its task: `event-1`, `event-2`, … in the order they were taken. */
  id: string;
  /** As the event source gave it. */
  event: unknown;
  /** What whoever submitted it got; `null`: nothing, up to the end. */
  told: { state: 'done'; result: unknown } | { state: 'not done'; error: Error } | null;
  /** The outcomes of it that the executor emitted; one, if all is well. */
  heard: readonly TaskOutcome[];
}

/** What the post-conditions of a user get: all that the smoke test knows, after the executor has stopped. */
export interface SmokeContext {
  runId: string;
  /** Folder of the run's state, with `queue.db` in it. It goes with the test; after a test without any event it is gone already. */
  runDir: string;
  /** Whether no event came in time. */
  stalled: boolean;
  /** The events that were taken from the source, in order. */
  events: readonly SmokeEvent[];
  /** The outcomes that the queue holds on disk, in the order they were recorded; read after the executor has stopped. */
  outcomes: readonly TaskOutcome[];
  /** The executor's own status, asked for just before it was stopped. */
  status: ExecutorStatus;
  /** Its health as the file on disk had it, just before it was stopped. */
  snapshot: HealthSnapshot;
}
