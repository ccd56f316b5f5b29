/** Rows of the file, and what they are outside. */
import type { HoldfastError } from '../../../base/errors.js';
import type { EarlierAttempt, Encoded, OutcomeState, TaskErrorRecord } from '../../task/task.js';
import type { ClaimedTask, OutcomeRecord } from '../contract.js';
import { generatedId } from '../generated-id.js';
import { damagedRecord } from '../refusals.js';

/** The columns of a row that a claim gives back. */
export const CLAIMED_COLUMNS =
  'seq, claim, id, handler, input, priority, timeout_ms, retries, attempts, crashes, earlier';

/** Those columns, as an array: a third faster to read than an object. */
export type ClaimedRow = [
  seq: number,
  token: number,
  id: string | null,
  handler: string,
  input: Encoded,
  priority: number,
  timeoutMs: number | null,
  retries: number | null,
  attempts: number,
  crashes: number,
  earlier: string | null,
];

export function claimedTask(row: ClaimedRow): ClaimedTask {
  const [seq, token, id, handler, input, priority, timeoutMs, retries, attempts, crashes, earlier] = row;
  return {
    seq,
    token,
    id: id ?? undefined,
    handler,
    input: plain(input),
    priority,
    timeoutMs: timeoutMs ?? undefined,
    retries: retries ?? undefined,
    attempts,
    crashes,
    earlier: earlierAttempts(earlier),
  };
}

const FIRST_COLUMNS =
  'ordinal, seq, id, handler, state, attempts, crashes, result, error, started_at, duration_ms, thread';

/** The columns of an outcome, but for its input. @param schema of the file: one that is only read stays as it is */
export function outcomeColumns(schema: number): string {
  const added = schema < 2 ? 'null as version, null as earlier' : `(${VERSION_OF_TASK}) as version, earlier`;
  return `${FIRST_COLUMNS}, ${added}`;
}

const VERSION_OF_TASK = 'select hash from versions where key = tasks.version';

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
  version: string | null;
  earlier: string | null;
  /** Where it was asked for. */
  input?: Encoded;
}

/** @throws HoldfastError `ERR_QUEUE_CORRUPT`, naming the task, if a part of it is not what was written there */
export function outcomeRecord(row: OutcomeRow): OutcomeRecord {
  refuseDamaged(row);
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
  if (row.error !== null) record.error = parsed(row, 'error') as TaskErrorRecord;
  if (row.version !== null) record.version = row.version;
  if (row.earlier !== null) record.earlierAttempts = parsed(row, 'earlier') as EarlierAttempt[];
  if (row.input !== undefined) record.input = plain(row.input);
  return record;
}

/** What is told beside an outcome, and no more: where it is damaged, the task goes on without. */
export function earlierAttempts(text: string | null): EarlierAttempt[] | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as EarlierAttempt[]);
  } catch {
    return undefined;
  }
}

const STATES: ReadonlySet<string> = new Set(['done', 'failed', 'crashed', 'timed-out', 'cancelled']);

function refuseDamaged(row: OutcomeRow): void {
  if (!STATES.has(row.state)) throw damaged(row, `its state is ${JSON.stringify(row.state)}`);
  for (const column of ['attempts', 'crashes', 'started_at', 'duration_ms'] as const) {
    const value = row[column];
    if (value === null && column === 'started_at') continue;
    if (typeof value !== 'number' || Math.abs(value) > MAX_NUMBER) throw damaged(row, `its ${column} is not a number`);
  }
}

/** Beyond it there is no date. */
const MAX_NUMBER = 8.64e15;

function parsed(row: OutcomeRow, column: 'error' | 'earlier'): unknown {
  try {
    const value = JSON.parse(String(row[column])) as unknown;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  throw damaged(row, `its ${column} is not what was written there`);
}

function damaged({ id, seq, ordinal }: OutcomeRow, why: string): HoldfastError {
  return damagedRecord(`of task ${JSON.stringify(id ?? generatedId(seq))} (ordinal ${ordinal})`, why);
}

/** Blobs come as Buffers, whose `slice` and JSON form differ from the Uint8Array that was promised. */
export function plain(value: Encoded): Encoded {
  return typeof value === 'string' ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
