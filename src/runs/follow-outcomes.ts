import { setTimeout as sleep } from 'node:timers/promises';
import type { Cursor, OutcomeChoice, OutcomeRecord, QueueReader } from '../runtime/queue/contract.js';
import type { StateDir } from '../system/state-dir.js';
import { openRecorded } from './run-files.js';

/** How often it is asked for more, in ms. */
const INTERVAL_MS = 200;

export interface FollowOptions {
  /** Which outcomes; asked whenever the queue is opened. */
  choose(reader: QueueReader): Promise<OutcomeChoice>;
  /** Whether more may come; asked before each look. */
  goesOn(): boolean;
}

/**
 * The outcomes of a run that are recorded, and those that are recorded from now on, none missed and none twice.
 *
 * The queue is opened for each look: an executor that ends while somebody has it open must leave its log behind.
 *
 * @throws what `openRecorded` throws
 */
export async function* followOutcomes(
  stateDir: StateDir,
  runId: string,
  { choose, goesOn }: FollowOptions,
): AsyncGenerator<OutcomeRecord> {
  let cursor: Cursor = 0;
  for (;;) {
    const mayGoOn = goesOn();
    const reader = await openRecorded(stateDir, runId);
    try {
      for (; reader !== undefined;) {
        const page = await reader.outcomesAfter(cursor, await choose(reader));
        yield* page.outcomes;
        if (page.cursor === cursor) break;
        cursor = page.cursor;
      }
    } finally {
      await reader?.close();
    }
    if (!mayGoOn) return;
    await sleep(INTERVAL_MS);
  }
}
