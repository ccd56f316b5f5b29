/**
 * Batches as they pass: a column for each field, and one value where all are the
 * same, which most are. So a task costs its input, its result and some numbers.
 */
import type { EarlierAttempt, Encoded, NewTask, OutcomeState, TaskErrorRecord } from '../../task/task.js';
import type { AddedTask, AllAdded, Claim, ClaimedTask, Settled, Settlement } from '../contract.js';
import { generatedId } from '../generated-id.js';

/** A value for each row, or one for all. */
type Column<T> = T[];

function column<Row, T>(rows: readonly Row[], field: (row: Row) => T): Column<T> {
  if (rows.length === 0) return [];
  const first = field(rows[0]!);
  for (let row = 1; row < rows.length; row++) {
    if (field(rows[row]!) !== first) return rows.map(field);
  }
  return [first];
}

function numbers<Row>(rows: readonly Row[], field: (row: Row) => number): Float64Array {
  const values = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) values[row] = field(rows[row]!);
  return values;
}

function at<T>(column: Column<T>, row: number): T {
  return column.length === 1 ? column[0]! : column[row]!;
}

interface GivenColumns {
  count: number;
  ids: Column<string | undefined>;
  handlers: Column<string>;
  inputs: Column<Encoded>;
  priorities: Column<number>;
  timeouts: Column<number | undefined>;
  retries: Column<number | undefined>;
}

export type PackedTasks = GivenColumns;

export function packTasks(tasks: readonly NewTask[]): PackedTasks {
  return {
    count: tasks.length,
    ids: column(tasks, ({ id }) => id),
    handlers: column(tasks, ({ handler }) => handler),
    inputs: column(tasks, ({ input }) => input),
    priorities: column(tasks, ({ priority }) => priority),
    timeouts: column(tasks, ({ timeoutMs }) => timeoutMs),
    retries: column(tasks, ({ retries }) => retries),
  };
}

export function unpackTasks({ count, ids, handlers, inputs, priorities, timeouts, retries }: PackedTasks): NewTask[] {
  const tasks: NewTask[] = [];
  for (let row = 0; row < count; row++) {
    tasks.push({
      id: at(ids, row),
      handler: at(handlers, row),
      input: at(inputs, row),
      priority: at(priorities, row),
      timeoutMs: at(timeouts, row),
      retries: at(retries, row),
    });
  }
  return tasks;
}

/** Of tasks whose ids the other side knows. A number: the first of so many seqs, one after the other. */
export interface PackedAdded {
  seqs: number | Float64Array;
  statuses: Column<AddedTask['status']>;
}

export function seqAt({ seqs }: PackedAdded, row: number): number {
  return typeof seqs === 'number' ? seqs + row : seqs[row]!;
}

export function statusAt({ statuses }: PackedAdded, row: number): AddedTask['status'] {
  return at(statuses, row);
}

/** Whether none of them was there before. */
export function areAllNew({ statuses }: PackedAdded): boolean {
  return statuses.length === 1 && statuses[0] === 'added';
}

export function packAdded(added: readonly AddedTask[] | AllAdded): PackedAdded {
  if ('first' in added) return { seqs: added.first, statuses: ['added'] };
  const first = added[0]?.seq ?? 0;
  const isRun = added.every(({ seq }, row) => seq === first + row);
  return { seqs: isRun ? first : numbers(added, ({ seq }) => seq), statuses: column(added, ({ status }) => status) };
}

export function unpackAdded(added: PackedAdded, tasks: readonly NewTask[]): AddedTask[] {
  return tasks.map(({ id }, row) => {
    const seq = seqAt(added, row);
    return { seq, id: id ?? generatedId(seq), status: statusAt(added, row) };
  });
}

/** What there is to tell of tasks without an id none of which was there; `undefined` of any others. */
export function inShort(added: PackedAdded, tasks: readonly NewTask[]): AllAdded | undefined {
  const { seqs } = added;
  if (typeof seqs !== 'number' || !areAllNew(added) || tasks.some(({ id }) => id !== undefined)) return undefined;
  return { first: seqs };
}

interface ClaimedColumns extends GivenColumns {
  seqs: Float64Array;
  tokens: Column<number>;
  attempts: Column<number>;
  crashes: Column<number>;
  earlier: Column<EarlierAttempt[] | undefined>;
}

/**
 * `kept`: of those that the other side keeps, one after the other and claimed by one token: the first seq, how many,
 * and the token. `count`: so many come from `others`.
 */
type Run = { kept: number; count: number; token: number } | { count: number };

export interface PackedClaimed {
  runs: Run[];
  others: ClaimedColumns;
}

/** @param isKept whether the other side keeps the task as it was added: it is asked once of each */
export function packClaimed(tasks: readonly ClaimedTask[], isKept: (task: ClaimedTask) => boolean): PackedClaimed {
  const runs: Run[] = [];
  const others: ClaimedTask[] = [];
  let last: Run | undefined;
  for (const task of tasks) {
    const { seq, token } = task;
    if (isKept(task)) {
      if (last !== undefined && 'kept' in last && seq === last.kept + last.count && token === last.token) last.count++;
      else runs.push((last = { kept: seq, count: 1, token }));
    } else {
      others.push(task);
      if (last !== undefined && !('kept' in last)) last.count++;
      else runs.push((last = { count: 1 }));
    }
  }
  return {
    runs,
    others: {
      ...packTasks(others),
      seqs: numbers(others, ({ seq }) => seq),
      tokens: column(others, ({ token }) => token),
      attempts: column(others, ({ attempts }) => attempts),
      crashes: column(others, ({ crashes }) => crashes),
      earlier: column(others, ({ earlier }) => earlier),
    },
  };
}

/** @param take gives what is kept of a task, once */
export function unpackClaimed({ runs, others }: PackedClaimed, take: (seq: number) => NewTask): ClaimedTask[] {
  const tasks: ClaimedTask[] = [];
  let row = 0;
  for (const run of runs) {
    for (let nth = 0; nth < run.count; nth++) {
      tasks.push(
        'kept' in run ? claimedAnew(take(run.kept + nth), run.kept + nth, run.token) : claimedOf(others, row++),
      );
    }
  }
  return tasks;
}

function claimedAnew({ id, handler, input, priority, timeoutMs, retries }: NewTask, seq: number, token: number) {
  const never = { attempts: 0, crashes: 0, earlier: undefined };
  return { seq, token, id, handler, input, priority, timeoutMs, retries, ...never };
}

function claimedOf(columns: ClaimedColumns, row: number): ClaimedTask {
  return {
    seq: columns.seqs[row]!,
    token: at(columns.tokens, row),
    id: at(columns.ids, row),
    handler: at(columns.handlers, row),
    input: at(columns.inputs, row),
    priority: at(columns.priorities, row),
    timeoutMs: at(columns.timeouts, row),
    retries: at(columns.retries, row),
    attempts: at(columns.attempts, row),
    crashes: at(columns.crashes, row),
    earlier: at(columns.earlier, row),
  };
}

type Ended = Extract<Settlement, { kind: 'outcome' }>;

interface EndedColumns {
  /** Of each: the seq, when it started (NaN: it did not), and how long it took. */
  numbers: Float64Array;
  tokens: Column<number>;
  states: Column<OutcomeState>;
  attempts: Column<number>;
  crashes: Column<number>;
  results: Column<Encoded | undefined>;
  errors: Column<TaskErrorRecord | undefined>;
  threads: Column<number | null>;
  versions: Column<string | undefined>;
}

/** Columns where all are outcomes, which is nearly always so. */
export type PackedSettlements = EndedColumns | Settlement[];

export function packSettlements(settlements: readonly Settlement[]): PackedSettlements {
  if (!settlements.every((settlement): settlement is Ended => settlement.kind === 'outcome')) {
    return settlements.map((settlement) => ({ ...settlement, claim: justClaim(settlement.claim) }));
  }
  const all = new Float64Array(3 * settlements.length);
  let index = 0;
  for (const { claim, startedAt, durationMs } of settlements) {
    all[index++] = claim.seq;
    all[index++] = startedAt ?? NaN;
    all[index++] = durationMs;
  }
  return {
    numbers: all,
    tokens: column(settlements, ({ claim }) => claim.token),
    states: column(settlements, ({ state }) => state),
    attempts: column(settlements, ({ attempts }) => attempts),
    crashes: column(settlements, ({ crashes }) => crashes),
    results: column(settlements, ({ result }) => result),
    errors: column(settlements, ({ error }) => error),
    threads: column(settlements, ({ thread }) => thread),
    versions: column(settlements, ({ version }) => version),
  };
}

/** Claimed tasks are claims, with more in them. */
function justClaim({ seq, token }: Claim): Claim {
  return { seq, token };
}

export function unpackSettlements(packed: PackedSettlements): Settlement[] {
  if (Array.isArray(packed)) return packed;
  const { numbers: all, tokens, states, attempts, crashes, results, errors, threads, versions } = packed;
  const settlements: Settlement[] = [];
  for (let row = 0; row < all.length / 3; row++) {
    const startedAt = all[3 * row + 1]!;
    settlements.push({
      kind: 'outcome',
      claim: { seq: all[3 * row]!, token: at(tokens, row) },
      state: at(states, row),
      attempts: at(attempts, row),
      crashes: at(crashes, row),
      result: at(results, row),
      error: at(errors, row),
      startedAt: Number.isNaN(startedAt) ? null : startedAt,
      durationMs: all[3 * row + 2]!,
      thread: at(threads, row),
      version: at(versions, row),
    });
  }
  return settlements;
}

export interface PackedSettled {
  /** A number: the first of so many, one after the other. */
  ordinals: number | number[];
  count: number;
  /** The places, among those that were given, of those that were refused. */
  refused: number[];
}

export function packSettled({ ordinals, refused }: Settled, settlements: readonly Settlement[]): PackedSettled {
  const first = ordinals[0] ?? 0;
  const isRun = ordinals.every((ordinal, row) => ordinal === first + row);
  const isRefused = new Set(refused);
  return {
    ordinals: isRun ? first : ordinals,
    count: ordinals.length,
    refused: refused.length === 0 ? [] : settlements.flatMap((one, row) => (isRefused.has(one) ? [row] : [])),
  };
}

export function unpackSettled(
  { ordinals, count, refused }: PackedSettled,
  settlements: readonly Settlement[],
): Settled {
  return {
    ordinals: typeof ordinals === 'number' ? Array.from({ length: count }, (_, row) => ordinals + row) : ordinals,
    refused: refused.map((row) => settlements[row]!),
  };
}
