import { openQueueReader } from '../runtime/queue/open-queue.js';
import { decodeOutcome, type TaskOutcome } from '../runtime/task/task-outcome.js';
import type { OutcomeRecord } from '../runtime/queue/contract.js';

/** What the queue of a run holds on disk, opened anew; nothing where there is no queue. */
export async function outcomesOnDisk(runDir: string): Promise<TaskOutcome[]> {
  const reader = await openQueueReader(runDir);
  if (reader === undefined) return [];
  try {
    return await decoded(reader.outcomes());
  } finally {
    await reader.close();
  }
}

export async function decoded(records: AsyncIterable<OutcomeRecord>): Promise<TaskOutcome[]> {
  const outcomes: TaskOutcome[] = [];
  for await (const record of records) outcomes.push(decodeOutcome(record));
  return outcomes;
}
