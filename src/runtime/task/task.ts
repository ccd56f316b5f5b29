/**
 * The words of a task's life, shared by every room: what is asked for, what is
 * recorded. Types only.
 */

/**
 * A value on its way between threads or in the queue: JSON text when JSON can
 * hold the value unchanged, else the bytes of V8's structured clone.
 */
export type Encoded = string | Uint8Array;

/** How a task ended. Recorded once, never changed. */
export type OutcomeState = 'done' | 'failed' | 'crashed' | 'timed-out' | 'cancelled';

/** The state of a task: waiting (`queued`, `delayed`), `running`, or ended with an outcome. */
export type TaskState = 'queued' | 'delayed' | 'running' | OutcomeState;

/** What is recorded of an error: it has crossed threads and time, so plain data. */
export interface TaskErrorRecord {
  name: string;
  message: string;
  /** Of Node, of a library, or of holdfast (`ERR_…`). */
  code?: string;
  /** As the thread had it. */
  stack?: string;
  /** The class of the language that it is of, where the name does not say so: an `AbortError` may be a `DOMException`. */
  class?: string;
  /** Its own fields that hold a string, a number or a boolean, such as `errno` and `path`. */
  fields?: Record<string, string | number | boolean>;
  /** Of an error alone, and not without end; any other cause is at the end of the stack. */
  cause?: TaskErrorRecord;
  /** Of an `AggregateError`, the first ones. */
  errors?: TaskErrorRecord[];
  /**
   * Where the task was, in one line, if it was stuck: past `stallAfter`, out
   * of time, or its thread had to be ended. From the handler down to what it
   * waits for, or to the function that runs:
   *
   *   `waiting: crawl (/srv/crawl.mjs:12:20) → fetchPage (/srv/crawl.mjs:31:9) → timer, due in 3s`
   *   `running: parse (/srv/crawl.mjs:40:3) → scan (/srv/crawl.mjs:52:7)`
   *   `blocked in native code`
   *   `not known: …`, or `what it awaits is not known: …`, and why
   */
  stuckAt?: string;
  /** The signal that ended the process under the task, such as `SIGSEGV`; where a supervisor saw it. */
  signal?: string;
}

/** What an attempt before the last one ended with. */
export interface EarlierAttempt {
  /** Its number, from 1; one that crashed has the number of the next, as it is not counted. */
  attempt: number;
  state: 'failed' | 'timed-out' | 'crashed';
  /** Strings are cut off after 200 characters. */
  error: Pick<TaskErrorRecord, 'name' | 'message' | 'code' | 'signal'>;
  /** Milliseconds since the epoch; `null` if it died with its process. */
  startedAt: number | null;
  /** Milliseconds, fractions included. */
  durationMs: number;
  /** Number of the thread, from 1; `null` if it died with its process. */
  thread: number | null;
}

/** A task as it is handed to the queue. Validated by whoever builds it. */
export interface NewTask {
  /** De-duplicates within the run. `undefined`: the queue names it `#<seq>`. Never starts with `#`. */
  id: string | undefined;
  handler: string;
  input: Encoded;
  /** Higher runs first; equal ones in the order they came. Default 0. */
  priority: number;
  /** Milliseconds from the start of an attempt; `undefined`: the run's own default applies. */
  timeoutMs: number | undefined;
  /** Tries after the first one; `undefined`: the run's own default applies. */
  retries: number | undefined;
}

/** The final record of a task, as the queue holds it and as `runtime results` prints it. */
export interface Outcome {
  id: string;
  handler: string;
  state: OutcomeState;
  /** Attempts that ran to an end of their own (done, failed, timed out, cancelled). */
  attempts: number;
  /** Attempts in which the thread or the process died while this task was the suspect. */
  crashes: number;
  /** Present when `done` and the handler returned something. */
  result?: Encoded;
  /** Present when not `done`. */
  error?: TaskErrorRecord;
  /** Milliseconds since the epoch, of the last attempt; `null` if it never started, or died with its process. */
  startedAt: number | null;
  /** Milliseconds of the last attempt, fractions included; 0 if it never started. */
  durationMs: number;
  /** Number of the thread of the last attempt, from 1; `null` if it never started. */
  thread: number | null;
  /** Of the text of the module that its thread had loaded: 12 hexadecimal digits of SHA-256. Absent where no thread ended it. */
  version?: string;
  /** The last five attempts before the last one, the oldest first; absent if there were none. */
  earlierAttempts?: EarlierAttempt[];
  /** What the task was given; only where it is asked for. */
  input?: Encoded;
}

/** How many tasks of a run are in each state. */
export type TaskCounts = Record<TaskState, number>;
