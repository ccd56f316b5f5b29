/** The outcomes of the memory store. Only those of tasks that were given an id are kept. */
import type { ClaimedTask, Cursor, OutcomeChoice, OutcomePage, OutcomeRecord, Settlement } from '../contract.js';
import { CANCELLED } from '../endings.js';
import { idOf } from '../generated-id.js';
import type { MemoryTask } from './memory-task.js';

/** Outcomes that are given at a time. */
const PAGE = 256;

/** What `settle` records, but for the task it is about. */
export type Ending = Omit<Extract<Settlement, { kind: 'outcome' }>, 'kind' | 'claim'>;

export class Outcomes {
  /** In the order of their ordinals. */
  #records: OutcomeRecord[] = [];
  #lastOrdinal = 0;

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  /** Gives the ordinal. */
  record(task: MemoryTask, ending: Ending): number {
    const ordinal = ++this.#lastOrdinal;
    if (task.claim.id === undefined) return ordinal;
    task.outcome = outcomeRecord(ordinal, task.claim, ending);
    this.#records.push(task.outcome);
    return ordinal;
  }

  takeBack(chosen: (outcome: OutcomeRecord) => boolean): OutcomeRecord[] {
    const taken = this.#records.filter(chosen);
    this.#records = this.#records.filter((outcome) => !chosen(outcome));
    return taken;
  }

  after(cursor: Cursor, { state }: OutcomeChoice): OutcomePage {
    const first = firstAfter(this.#records, cursor);
    const page = this.#records.slice(first, first + PAGE);
    const chosen = (each: OutcomeRecord) =>
      state === 'not-done' ? each.state !== 'done' : state === undefined || state === each.state;
    return {
      outcomes: page.filter(chosen).map((each) => ({ ...each })),
      // Behind the last one there may be those that are not kept.
      cursor: page.length === PAGE ? page.at(-1)!.ordinal : Math.max(cursor, this.#lastOrdinal),
    };
  }

  ofOtherVersions(than: string): number {
    return this.#records.filter(({ version }) => version !== undefined && version !== than).length;
  }

  clear(): void {
    this.#records = [];
  }
}

/** Of a task that was cancelled while it waited. */
export function cancelledEnding({ attempts, crashes }: ClaimedTask): Ending {
  return {
    state: 'cancelled',
    attempts,
    crashes,
    result: undefined,
    error: CANCELLED,
    startedAt: null,
    durationMs: 0,
    thread: null,
    version: undefined,
  };
}

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
function firstAfter(outcomes: readonly OutcomeRecord[], ordinal: number): number {
  let low = 0;
  let high = outcomes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (outcomes[middle]!.ordinal <= ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}
