import type { ClaimedTask, Settlement } from '../../queue/contract.js';
import { wallTime } from '../../thread/board.js';
import type { Encoded, TaskErrorRecord } from '../../task/task.js';
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
): { tasks: readonly ClaimedTask[]; settlements: Settlement[] } {
  const { first, ends } = report;
  const all = first === 0 && ends.length === batch.tasks.length;
  const tasks = all ? batch.tasks : batch.tasks.slice(first, first + ends.length);
  const drift = wallTime(0);
  const settlements = tasks.map((task, i) => {
    if (ends[i] === AttemptEnd.done) return done(task, i, report, drift, thread);
    const end = ends[i]!;
    const since = report.startedAt[i]!;
    const { number, version } = thread;
    const place = { startedAt: since + drift, durationMs: report.durationMs[i]!, thread: number, version };
    const settlement = conclude(task, end, told(report.payloads[i], end, task, policy), place, policy);
    return withStuckAt(settlement, lookout.stuckAt(thread, task, since));
  });
  return { tasks, settlements };
}

/** As `conclude` has it, for what nearly all come to: without objects in between. */
function done(task: ClaimedTask, i: number, report: BatchReport, drift: number, thread: PoolThread): Settlement {
  return {
    kind: 'outcome',
    claim: task,
    state: 'done',
    attempts: task.attempts + 1,
    crashes: task.crashes,
    result: report.payloads[i] as Encoded | undefined,
    error: undefined,
    startedAt: report.startedAt[i]! + drift,
    durationMs: report.durationMs[i]!,
    thread: thread.number,
    version: thread.version,
  };
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
