import type { Executor } from '../../runtime/executor.js';
import type { OutcomeState } from '../../runtime/task/task.js';

/** What the queue holds of the events of a dry run. */
export interface Tally {
  /** Events with an outcome, by its state. */
  outcomes: Record<OutcomeState, number>;
  /** Events that still wait or run. */
  unfinished: number;
  /** Events that were submitted, and of which the queue knows nothing. */
  lost: number;
  /** Outcomes beyond the first of an event. */
  duplicates: number;
}

/**
 * Reads back what became of every event that was submitted. It trusts nothing that was told meanwhile.
 * @param submitted events by type; their numbers run from 1
 */
export async function tally(executor: Executor, submitted: Readonly<Record<string, number>>): Promise<Tally> {
  const outcomes: Tally['outcomes'] = { done: 0, failed: 0, crashed: 0, 'timed-out': 0, cancelled: 0 };
  const seen = new Map(Object.entries(submitted).map(([type, count]) => [type, new Uint8Array(count + 1)]));
  let found = 0;
  let duplicates = 0;
  for await (const { id, state } of executor.encoded.outcomes()) {
    const separator = id.lastIndexOf('_');
    const n = Number(id.slice(separator + 1));
    const ofType = seen.get(id.slice(0, separator));
    if (ofType?.[n] === undefined) continue;
    if (ofType[n] > 0) duplicates++;
    else {
      found++;
      outcomes[state]++;
    }
    ofType[n] = 1;
  }
  const { queued, delayed, running } = await executor.counts();
  const unfinished = queued + delayed + running;
  const all = Object.values(submitted).reduce((sum, count) => sum + count, 0);
  return { outcomes, unfinished, lost: all - found - unfinished, duplicates };
}
