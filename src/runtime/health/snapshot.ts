import { readFileSync } from 'node:fs';
import type { ExecutorMode } from '../status.js';
import type { TaskCounts } from '../task/task.js';
import type { ThreadSummary } from '../thread-status.js';
import { formatCount } from '../../base/units.js';
import { HEALTH_FILE } from '../../system/state-dir.js';
import type { Beat } from './heartbeat.js';
import type { LastError } from './last-error.js';

/**
 * How an executor was the last time it said so. It outlives its executor, so
 * it never says whether one is alive: the lock does. Times are milliseconds
 * since the epoch.
 */
export interface HealthSnapshot {
  /** Version of this shape. */
  schema: 1;
  /** Rises with each snapshot of the run, over all its executors. */
  sequence: number;
  runId: string;
  /** Of the executor's process; `null` only where the file does not say. */
  pid: number | null;
  /** When that process was started, in clock ticks since the system was; `null` where that is not known. */
  pidStartTicks: number | null;
  state: ExecutorMode;
  /** When the executor started. */
  startedAt: number | null;
  /** When this snapshot was written. */
  updatedAt: number | null;
  counts: TaskCounts;
  threads: ThreadSummary[];
  lastBeat: Beat | null;
  /** Beats of this executor that did not come. */
  missedBeats: number;
  lastError: LastError | null;
  activity: {
    paused: boolean;
    draining: boolean;
    /** What the executor is doing, one line for people. */
    note: string;
  };
}

export interface ReadHealth {
  /** With defaults for all that could not be read. */
  snapshot: HealthSnapshot;
  /** What could not be read, a sentence each. */
  problems: string[];
}

/** Reads a snapshot. Whatever is missing, invalid or partial becomes a default and a problem; never throws. */
export function readHealth(path: string): ReadHealth {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return nothing(missing ? `there is no ${HEALTH_FILE}` : `cannot be read: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return nothing(text.trim() === '' ? 'is empty' : `is not JSON (${formatCount(text.length)} characters)`);
  }
  if (!isObject(value)) return nothing('is not a JSON object');
  return understood(value);
}

export const MODES: readonly ExecutorMode[] = ['running', 'paused', 'draining', 'failed', 'stopping', 'stopped'];
export const THREAD_STATES: readonly ThreadSummary['state'][] = ['loading', 'idle', 'busy', 'retiring'];
const SOURCES: readonly LastError['source'][] = ['task', 'thread', 'beat', 'executor'];

function nothing(problem: string): ReadHealth {
  return { snapshot: understood({}).snapshot, problems: [problem] };
}

function understood(value: Record<string, unknown>): ReadHealth {
  const problems: string[] = [];
  const fields = new Fields(value, '', problems);
  if (value['schema'] !== undefined && value['schema'] !== 1) {
    problems.push(`schema: must be 1, got ${JSON.stringify(value['schema'])}: another version wrote it`);
  } else if (value['schema'] === undefined) problems.push('schema: is missing');
  const counts = fields.object('counts');
  const activity = fields.object('activity');
  const snapshot: HealthSnapshot = {
    schema: 1,
    sequence: fields.number('sequence'),
    runId: fields.text('runId'),
    pid: fields.orNull('pid', () => fields.number('pid')),
    pidStartTicks: fields.orNull('pidStartTicks', () => fields.number('pidStartTicks')),
    state: fields.oneOf('state', MODES, 'stopped'),
    startedAt: fields.orNull('startedAt', () => fields.number('startedAt')),
    updatedAt: fields.orNull('updatedAt', () => fields.number('updatedAt')),
    counts: {
      queued: counts.number('queued'),
      delayed: counts.number('delayed'),
      running: counts.number('running'),
      done: counts.number('done'),
      failed: counts.number('failed'),
      crashed: counts.number('crashed'),
      'timed-out': counts.number('timed-out'),
      cancelled: counts.number('cancelled'),
    },
    threads: fields.list('threads').map((thread) => ({
      number: thread.number('number'),
      state: thread.oneOf('state', THREAD_STATES, 'loading'),
      running: thread.number('running'),
      lastBeat: thread.orNull('lastBeat', () => thread.number('lastBeat')),
      tasksDone: thread.number('tasksDone'),
      heapUsed: thread.number('heapUsed'),
    })),
    lastBeat: fields.orNull('lastBeat', () => beatOf(fields.object('lastBeat'))),
    missedBeats: fields.number('missedBeats'),
    lastError: fields.orNull('lastError', () => errorOf(fields.object('lastError'))),
    activity: {
      paused: activity.flag('paused'),
      draining: activity.flag('draining'),
      note: activity.text('note'),
    },
  };
  return { snapshot, problems };
}

function beatOf(beat: Fields): Beat {
  return {
    count: beat.number('count'),
    uptimeMs: beat.number('uptimeMs'),
    at: beat.number('at'),
    tookMs: beat.number('tookMs'),
    threads: beat.numbers('threads'),
  };
}

function errorOf(error: Fields): LastError {
  return {
    at: error.number('at'),
    source: error.oneOf('source', SOURCES, 'executor'),
    ...(error.has('code') && { code: error.text('code') }),
    message: error.text('message'),
  };
}

/** The fields of one object: each as it should be, or its default and a problem. */
class Fields {
  readonly #value: Record<string, unknown>;
  readonly #path: string;
  readonly #problems: string[];

  constructor(value: Record<string, unknown>, path: string, problems: string[]) {
    this.#value = value;
    this.#path = path;
    this.#problems = problems;
  }

  has(key: string): boolean {
    return this.#value[key] !== undefined;
  }

  number(key: string): number {
    return this.#field(key, 'a number of at least 0', isCount, 0);
  }

  text(key: string): string {
    return this.#field(key, 'a string', (value) => typeof value === 'string', '');
  }

  flag(key: string): boolean {
    return this.#field(key, 'true or false', (value) => typeof value === 'boolean', false);
  }

  oneOf<T extends string>(key: string, known: readonly T[], fallback: T): T {
    return this.#field(key, `one of ${known.join(', ')}`, (value) => known.includes(value as T), fallback);
  }

  numbers(key: string): number[] {
    const expected = 'a list of numbers';
    return this.#field(key, expected, (value) => Array.isArray(value) && value.every(isCount), []);
  }

  /** `null` where the file says so, and where `read` meets a problem. */
  orNull<T>(key: string, read: () => T): T | null {
    if (this.#value[key] === null) return null;
    const before = this.#problems.length;
    const value = read();
    return this.#problems.length === before ? value : null;
  }

  object(key: string): Fields {
    const value = this.#field<Record<string, unknown>>(key, 'an object', isObject, {});
    // What is missing as a whole is one problem, not one for each of its fields.
    return new Fields(value, `${this.#path}${key}.`, isObject(this.#value[key]) ? this.#problems : []);
  }

  list(key: string): Fields[] {
    const isList = (value: unknown) => Array.isArray(value) && value.every(isObject);
    const list = this.#field<Record<string, unknown>[]>(key, 'a list of objects', isList, []);
    return list.map((value, index) => new Fields(value, `${this.#path}${key}.${index}.`, this.#problems));
  }

  #field<T>(key: string, expected: string, isRight: (value: unknown) => boolean, fallback: T): T {
    const value = this.#value[key];
    if (isRight(value)) return value as T;
    const got = value === undefined ? 'is missing' : `must be ${expected}`;
    this.#problems.push(`${this.#path}${key}: ${got}`);
    return fallback;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
