import type { ClaimedTask, Settlement } from '../../queue/contract.js';
import { wallTime } from '../../thread/board.js';
import type { TaskErrorRecord } from '../../task/task.js';
import { AttemptEnd, type BatchReport } from '../../thread/protocol.js';
import { conclude, limitOf, timedOutText, withStuckAt, type RetryPolicy } from './conclude.js';
import type { Lookout } from '../watch/lookout.js';
import type { Batch } from '../thread/batch.js';
import type { PoolThread } from '../thread/pool-thread.js';

/** What is to be recorded of the tasks that a report tells of. */
export function concludeReport(
  thread: PoolThread,
  batch: Batch,
  report: BatchReport,
  policy: RetryPolicy,
  lookout: Lookout,
): { tasks: ClaimedTask[]; settlements: Settlement[] } {
  const tasks: ClaimedTask[] = [];
  const settlements: Settlement[] = [];
  const drift = wallTime(0);
  for (let i = 0; i < report.ends.length; i++) {
    const task = batch.tasks[report.first + i]!;
    const since = report.startedAt[i]!;
    const end = report.ends[i]!;
    const { number, version } = thread;
    const place = { startedAt: since + drift, durationMs: report.durationMs[i]!, thread: number, version };
    const settlement = conclude(task, end, told(report.payloads[i], end, task, policy), place, policy);
    tasks.push(task);
    settlements.push(
      end === AttemptEnd.done ? settlement : withStuckAt(settlement, lookout.stuckAt(thread, task, since)),
    );
  }
  return { tasks, settlements };
}

/** A thread knows no limit. */
function told(
  payload: BatchReport['payloads'][number],
  end: AttemptEnd,
  task: ClaimedTask,
  policy: RetryPolicy,
): BatchReport['payloads'][number] {
  if (end !== AttemptEnd.timedOut) return payload;
  return { ...(payload as TaskErrorRecord), message: timedOutText(limitOf(task, policy)) };
}
