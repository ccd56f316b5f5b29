/** Rows of the file, and what they are outside. */
import type { Encoded, OutcomeState, TaskErrorRecord } from '../task.js';
import type { ClaimedTask, OutcomeRecord } from './contract.js';
import { generatedId } from './generated-id.js';

/** The columns of a row that a claim gives back. */
export const CLAIMED_COLUMNS = 'seq, id, handler, input, priority, timeout_ms, retries, attempts, crashes';

/** Those columns, as an array: a third faster to read than an object. */
export type ClaimedRow = [
  seq: number,
  id: string | null,
  handler: string,
  input: Encoded,
  priority: number,
  timeoutMs: number | null,
  retries: number | null,
  attempts: number,
  crashes: number,
];

export function claimedTask(row: ClaimedRow): ClaimedTask {
  const [seq, id, handler, input, priority, timeoutMs, retries, attempts, crashes] = row;
  return {
    seq,
    id: id ?? undefined,
    handler,
    input: plain(input),
    priority,
    timeoutMs: timeoutMs ?? undefined,
    retries: retries ?? undefined,
    attempts,
    crashes,
  };
}

export const OUTCOME_COLUMNS =
  'ordinal, seq, id, handler, state, attempts, crashes, result, error, started_at, duration_ms, thread';

export interface OutcomeRow {
  ordinal: number;
  seq: number;
  id: string | null;
  handler: string;
  state: OutcomeState;
  attempts: number;
  crashes: number;
  result: Encoded | null;
  error: string | null;
  started_at: number | null;
  duration_ms: number;
  thread: number | null;
}

export function outcomeRecord(row: OutcomeRow): OutcomeRecord {
  const record: OutcomeRecord = {
    ordinal: row.ordinal,
    id: row.id ?? generatedId(row.seq),
    handler: row.handler,
    state: row.state,
    attempts: row.attempts,
    crashes: row.crashes,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    thread: row.thread,
  };
  if (row.result !== null) record.result = plain(row.result);
  if (row.error !== null) record.error = JSON.parse(row.error) as TaskErrorRecord;
  return record;
}

/** Blobs come as Buffers, whose `slice` and JSON form differ from the Uint8Array that was promised. */
function plain(value: Encoded): Encoded {
  return typeof value === 'string' ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
