/** What becomes of the tasks that a dead executor left running. */
import type { Database } from 'better-sqlite3';
import type { PreviousDeath } from '../contract.js';
import { crashedWithProcess, withEarlier } from '../endings.js';
import { earlierAttempts } from './rows.js';

export interface InterruptedRow {
  seq: number;
  alone: number;
  crashes: number;
  doubts: number;
  attempts: number;
  earlier: string | null;
}

export interface Verdict {
  state: 'queued' | 'suspect' | 'crashed';
  crashes: number;
  doubts: number;
}

/**
 * Scans the table: 1 million rows in about 0.1 s, and only when tasks were
 * running; an index would be written at each claim and each outcome.
 *
 * @param upTo the last claim that is looked for
 */
export function interruptedRows(db: Database, upTo: number): InterruptedRow[] {
  return db
    .prepare<[number], InterruptedRow>(
      `select seq, alone, crashes, doubts, attempts, earlier from tasks where state = 'running' and claim <= ?`,
    )
    .all(upTo);
}

/** See `Recovering.recover` for the rule. */
export function verdict(
  task: InterruptedRow,
  wasOnlyOne: boolean,
  previous: PreviousDeath,
  maxCrashes: number,
): Verdict {
  const { doubts } = task;
  if ((task.alone === 1 || wasOnlyOne) && previous !== 'unseen') {
    const crashes = task.crashes + 1;
    return { state: crashes >= maxCrashes ? 'crashed' : 'suspect', crashes, doubts };
  }
  const { crashes } = task;
  if (task.alone === 1 || previous === 'crashed' || doubts > 0) return { state: 'suspect', crashes, doubts };
  return { state: 'queued', crashes, doubts: 1 };
}

/** What is kept of earlier attempts, with the one that was charged a crash now. */
export function withCrash(task: InterruptedRow, crashes: number, signal: string | undefined): string {
  const earlier = earlierAttempts(task.earlier);
  const attempt = {
    attempt: task.attempts + 1,
    state: 'crashed' as const,
    error: crashedWithProcess(crashes, signal),
    startedAt: null,
    durationMs: 0,
    thread: null,
  };
  return JSON.stringify(withEarlier(earlier, attempt));
}
