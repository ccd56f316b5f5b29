import type { ClaimedTask, Settlement } from '../../queue/contract.js';
import type { Encoded, TaskErrorRecord } from '../../task/task.js';
import { AbortReason, now, wallTime } from '../../thread/board.js';
import { AttemptEnd } from '../../thread/protocol.js';
import {
  conclude,
  concludeCrash,
  limitOf,
  mayCrashAgain,
  timedOutText,
  withStuckAt,
  type RetryPolicy,
} from './conclude.js';
import type { Lookout } from '../watch/lookout.js';
import type { PoolThread } from '../thread/pool-thread.js';

/** Why a thread is ended by force: a task did not stop when it was asked to. */
export interface Sentence {
  culprit: ClaimedTask;
  /** How its attempt is to count. */
  end: AttemptEnd;
  /** It was out of time, and so was its thread's event loop: any task there may have kept the others from stopping. */
  stuck: boolean;
}

/** What becomes of the tasks of a thread that is gone. */
export interface Verdict {
  /** To be settled; in step with `settlements`. */
  tasks: ClaimedTask[];
  settlements: Settlement[];
  /** They did not run, or are to blame for nothing: to be run elsewhere. */
  back: ClaimedTask[];
  /** Those that were running. */
  running: ClaimedTask[];
}

/**
 * Who is to blame for a thread that died? For sure only a task that was the
 * only one ever to run there: what kills may be something that an earlier task
 * left behind, a forgotten promise that is rejected late. So no task is
 * recorded as `crashed` but on such evidence.
 *
 * @param sentence if the thread was ended by force
 * @param wasCancelled whoever cancelled such a task was told that it will not run again
 */
export function judge(
  thread: PoolThread,
  cause: Error,
  sentence: Sentence | undefined,
  wasCancelled: (task: ClaimedTask) => boolean,
  policy: RetryPolicy,
  lookout: Lookout,
): Verdict {
  const { running, back } = tasksOf(thread);
  const tasks: ClaimedTask[] = [];
  const settlements: Settlement[] = [];
  const culprit = sentence?.stuck && running.length > 1 ? undefined : sentence?.culprit;
  for (const { task, position, since } of running) {
    const { number, version } = thread;
    const at = { startedAt: wallTime(since), durationMs: now() - since, thread: number, version };
    const cancelled = wasCancelled(task) ? AttemptEnd.cancelled : undefined;
    const forced = culprit === task ? sentence?.end : cancelled;
    if (forced === undefined && culprit) {
      // It had the bad luck to run beside the culprit, or to start just when that one did end.
      back.push(task);
      continue;
    }
    const proven = running.length === 1 && (thread.ranNothingBefore(position) || mayCrashAgain(task, policy));
    tasks.push(task);
    const stuckAt = lookout.stuckAt(thread, task, since);
    if (forced !== undefined) {
      settlements.push(
        withStuckAt(conclude(task, forced, forcedEnd(forced, limitOf(task, policy)), at, policy), stuckAt),
      );
    } else if (proven && !sentence) {
      settlements.push(withStuckAt(concludeCrash(task, cause, at, policy), stuckAt));
    } else settlements.push({ kind: 'suspect', claim: task });
  }
  return { tasks, settlements, back, running: running.map(({ task }) => task) };
}

interface Running {
  task: ClaimedTask;
  position: number;
  since: number;
}

/** Those it had not told of: what ended without being told is run again. */
function tasksOf(thread: PoolThread): { running: Running[]; back: ClaimedTask[] } {
  const running: Running[] = [];
  const back: ClaimedTask[] = [];
  for (const batch of thread.batches) {
    if (batch === undefined) continue;
    const current = thread.board.running(batch.lane);
    for (let position = batch.reported; position < batch.size; position++) {
      const task = batch.tasks[position]!;
      if (current?.position === position) running.push({ task, ...current });
      else back.push(task);
    }
  }
  return { running, back };
}

/** How the attempt of a task counts that had to be ended by force. */
export const FORCED_END: Record<AbortReason, AttemptEnd> = {
  [AbortReason.timeout]: AttemptEnd.timedOut,
  [AbortReason.cancel]: AttemptEnd.cancelled,
  [AbortReason.stop]: AttemptEnd.interrupted,
};

/** @param limit that was set, in ms */
function forcedEnd(end: AttemptEnd, limit: number | undefined): TaskErrorRecord | Encoded | undefined {
  switch (end) {
    case AttemptEnd.timedOut:
      return {
        name: 'TimeoutError',
        message: `${timedOutText(limit)} and did not stop when it was asked to; its thread was ended`,
        code: 'ERR_TASK_TIMED_OUT',
      };
    case AttemptEnd.cancelled:
      return {
        name: 'AbortError',
        message: 'the task was cancelled and did not stop when it was asked to; its thread was ended',
        code: 'ERR_TASK_CANCELLED',
      };
    default:
      return undefined;
  }
}
