/** The outcomes of the memory store. */
import type { ClaimedTask, OutcomeRecord, Settlement } from '../contract.js';
import { idOf } from '../generated-id.js';

/** What `settle` records, but for the task it is about. */
export type Ending = Omit<Extract<Settlement, { kind: 'outcome' }>, 'kind' | 'seq'>;

export function outcomeRecord(ordinal: number, task: ClaimedTask, ending: Ending): OutcomeRecord {
  const { state, attempts, crashes, startedAt, durationMs, thread, version, result, error } = ending;
  const { handler, earlier } = task;
  const record: OutcomeRecord = {
    ordinal,
    id: idOf(task),
    handler,
    state,
    attempts,
    crashes,
    startedAt,
    durationMs,
    thread,
  };
  if (result !== undefined) record.result = result;
  if (error !== undefined) record.error = error;
  if (version !== undefined) record.version = version;
  if (earlier !== undefined) record.earlierAttempts = earlier;
  return record;
}

/** Index of the first outcome with a higher ordinal. */
export function firstAfter(outcomes: readonly OutcomeRecord[], ordinal: number): number {
  let low = 0;
  let high = outcomes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (outcomes[middle]!.ordinal <= ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}
