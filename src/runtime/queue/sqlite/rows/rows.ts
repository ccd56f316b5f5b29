/** Rows of the file, and what they are outside. */
import type { HoldfastError } from '../../../../base/errors.js';
import type { EarlierAttempt, Encoded, OutcomeState, TaskErrorRecord } from '../../../task/task.js';
import type { ClaimedTask, OutcomeRecord } from '../../contract.js';
import { generatedId } from '../../generated-id.js';
import { damagedRecord } from '../../refusals.js';

/** What a claim gives of a task that waits in line. */
export const CLAIMED_OF_TASK =
  'seq, id, handler, input, priority, timeout_ms, retries, 0 as attempts, 0 as crashes, null as earlier';

/** The same of one with a mark. */
export const CLAIMED_OF_MARK =
  's.seq, s.id, s.handler, s.input, s.priority, s.timeout_ms, s.retries, m.attempts, m.crashes, m.earlier';

/** Those columns, as an array: a third faster to read than an object. */
export type ClaimedRow = [
  seq: number,
  id: string | null,
  handler: number,
  input: Encoded,
  priority: number,
  timeoutMs: number | null,
  retries: number | null,
  attempts: number,
  crashes: number,
  earlier: string | null,
];

export function claimedTask(row: ClaimedRow, token: number, nameOf: (handler: number) => string): ClaimedTask {
  const [seq, id, handler, input, priority, timeoutMs, retries, attempts, crashes, earlier] = row;
  return {
    seq,
    token,
    id: id ?? undefined,
    handler: nameOf(handler),
    input: plain(input),
    priority,
    timeoutMs: timeoutMs ?? undefined,
    retries: retries ?? undefined,
    attempts,
    crashes,
    earlier: earlierAttempts(earlier),
  };
}

/** The first schema with outcomes, and what does not just wait, in tables of their own. */
export const MARKS_APART = 4;

/** Where outcomes are found. @param schema of the file: one that is only read stays as it is */
export function outcomeSource(schema: number): string {
  return schema < MARKS_APART ? 'tasks o' : 'outcomes o left join submitted s on s.seq = o.seq';
}

/** The columns of an outcome in `outcomeSource`, but for its input. */
export function outcomeColumns(schema: number): string {
  const [task, handler] =
    schema < MARKS_APART ? ['o', 'o.handler'] : ['s', '(select name from handlers where key = s.handler)'];
  const added =
    schema < 2
      ? 'null as version, null as earlier'
      : '(select hash from versions where key = o.version) as version, o.earlier';
  return `o.ordinal, o.seq, ${task}.id, ${handler} as handler, o.state, o.attempts, o.crashes, o.result, o.error,
    o.started_at, o.duration_ms, o.thread, ${added}`;
}

/** The column of the input, in `outcomeSource`. */
export function inputColumn(schema: number): string {
  return schema < MARKS_APART ? 'o.input' : 's.input';
}

export interface OutcomeRow {
  ordinal: number;
  seq: number;
  id: string | null;
  /** `null` where its task is not there. */
  handler: string | null;
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
    handler: row.handler!,
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
  if (row.handler === null) throw damaged(row, 'its task is not there');
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
