/** What becomes of the tasks that a dead executor left running. */
import type { Database } from 'better-sqlite3';
import type { PreviousDeath } from '../../contract.js';
import { crashedWithProcess, withEarlier } from '../../endings.js';
import { earlierAttempts } from '../rows/rows.js';

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

/** Those that were noted as running: by their keeper when their executor was gone, or as they ran for long. */
export function interruptedRows(db: Database): InterruptedRow[] {
  return db
    .prepare<[], InterruptedRow>(
      `select seq, alone, crashes, doubts, attempts, earlier from marks where state = 'running'`,
    )
    .all();
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
