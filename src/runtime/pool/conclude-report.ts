import type { ClaimedTask, Settlement } from '../queue/contract.js';
import { wallTime } from '../thread/board.js';
import type { BatchReport } from '../thread/protocol.js';
import { conclude, type RetryPolicy } from './conclude.js';
import type { Batch } from './pool-thread.js';

/** What is to be recorded of the tasks that a report tells of. */
export function concludeReport(
  thread: number,
  batch: Batch,
  report: BatchReport,
  policy: RetryPolicy,
): { tasks: ClaimedTask[]; settlements: Settlement[] } {
  const tasks: ClaimedTask[] = [];
  const settlements: Settlement[] = [];
  const drift = wallTime(0);
  for (let i = 0; i < report.ends.length; i++) {
    const task = batch.tasks[report.first + i]!;
    const place = { startedAt: report.startedAt[i]! + drift, durationMs: report.durationMs[i]!, thread };
    tasks.push(task);
    settlements.push(conclude(task, report.ends[i]!, report.payloads[i], place, policy));
  }
  return { tasks, settlements };
}
