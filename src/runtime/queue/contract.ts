/**
 * What a queue promises, whatever holds it: SQLite, memory, later an engine on
 * another host. Every call is asynchronous and takes batches; every write is
 * fenced by the executor that opened the queue, and what becomes of a task by
 * the claim that was given for it.
 *
 * A task's way through it:
 *
 *   add ──▶ queued ──claim──▶ running ──settle──▶ an outcome (final)
 *              ▲                 │
 *              ├── released ─────┤   ready again, nothing charged
 *              ├── delayed ◀─────┤   to be retried at a given time
 *              └── suspect ◀─────┘   ready again, but to be tried alone
 *
 * Suspects count as `queued` for the outside.
 *
 * A start that reads its tasks from an input holds back what an earlier one
 * left waiting (`hold`), until the input names it again. Held tasks keep their
 * state, and count as what they are; they are just not given out.
 *
 * Calls take effect in the order they were made, and a read sees every write
 * called before it, awaited or not. A write that fails changed nothing: it may
 * be made again once the trouble is mended.
 *
 * Once the place where it keeps its tasks was taken away under it, every write,
 * and every read of outcomes, rejects with `ERR_QUEUE_LOST`.
 *
 * Errors of every call: `ERR_QUEUE_DISK_FULL`, `ERR_QUEUE_READ_ONLY`,
 * `ERR_QUEUE_CORRUPT`, `ERR_QUEUE_BUSY`, `ERR_QUEUE_IO`; of a write, also
 * `ERR_STALE_EXECUTOR` once a newer executor has opened the queue; after
 * `close`, `ERR_EXECUTOR_STOPPED`.
 */
import type { HoldfastError } from '../../base/errors.js';
import type {
  EarlierAttempt,
  Encoded,
  NewTask,
  Outcome,
  OutcomeState,
  TaskCounts,
  TaskErrorRecord,
  TaskState,
} from '../task/task.js';

/** In what stores differ, as far as anybody outside has to know. */
export interface StoreTraits {
  /** What it holds is still there when the process has ended: the next executor goes on with it. */
  readonly outlivesProcess: boolean;
  /** Executors of several hosts work on it at the same time, and each sees only its own part. */
  readonly shared: boolean;
  /** It has room for so many tasks only: who feeds it from a long source waits until some are done. */
  readonly bounded: boolean;
}

/** What became of one task handed to `add`, in the order they were given. */
export interface AddedTask {
  /** The queue's own number for it, rising in the order of arrival. */
  seq: number;
  id: string;
  /**
   * `added`; `duplicate`: the id is there already, with the same handler and
   * input; `conflict`: it is there with others, and nothing changed.
   */
  status: 'added' | 'duplicate' | 'conflict';
}

/**
 * When those who added tasks are told that they are there. `with outcome`: not before something became of them. So it
 * resolves before they are on the disk, and that write waits some ms for others to be made with.
 */
export type AddTold = 'at once' | 'with outcome';

/** What became of tasks none of which was there, in short: their numbers follow each other in the order they were given. */
export interface AllAdded {
  /** The number of the first. */
  first: number;
}

/** What came to a queue. `queued`: `claim` may find it; `delayed`: `nextDue` may have changed; `suspect`: `claimSuspect` may find it. */
export type Work = 'queued' | 'delayed' | 'suspect';

/**
 * The right to say what becomes of a task, given by `claim` and handed back to `settle`. It is over once the task was
 * settled, or given to somebody else.
 */
export interface Claim {
  seq: number;
  /** Tells this claim from every other one of the task. What it counts is the store's own affair. */
  token: number;
}

/** A task that `claim` marked as running for this executor. */
export interface ClaimedTask extends Claim {
  /** As it was given; `undefined`: the task is known as `#<seq>` (see `idOf`). */
  id: string | undefined;
  handler: string;
  input: Encoded;
  priority: number;
  timeoutMs: number | undefined;
  retries: number | undefined;
  /** Attempts that have ended so far. */
  attempts: number;
  crashes: number;
  /** What they ended with, as far as it is kept. */
  earlier: EarlierAttempt[] | undefined;
}

/** What is to be recorded of a task that was running. Of a claimed task, only its claim is read. */
export type Settlement =
  | {
      kind: 'outcome';
      claim: Claim;
      state: OutcomeState;
      attempts: number;
      crashes: number;
      result: Encoded | undefined;
      error: TaskErrorRecord | undefined;
      startedAt: number | null;
      durationMs: number;
      thread: number | null;
      /** Of the text that its thread had loaded; `undefined` where no thread ended it. */
      version: string | undefined;
    }
  /**
   * The attempt ended, another one is due at `runAt` (milliseconds since the epoch).
   * `earlier`: what is to be kept of it and those before it.
   */
  | { kind: 'retry'; claim: Claim; attempts: number; crashes: number; runAt: number; earlier: EarlierAttempt[] }
  /** It was interrupted by no fault of its own: ready again, in its old place. */
  | { kind: 'release'; claim: Claim }
  /** Its thread died with others in flight: ready again, to be tried alone. */
  | { kind: 'suspect'; claim: Claim };

export interface Settled {
  /** Of the outcomes that were recorded, in the order given. */
  ordinals: number[];
  /** Those whose claim is over, in the order given: nothing was recorded of them. */
  refused: Settlement[];
}

/** How an executor ended, as far as its supervisor saw it. */
export type PreviousDeath =
  /** Nobody saw it: a power cut, or supervisor and executor died together. */
  | 'unseen'
  /** Ended from outside: SIGKILL, SIGTERM and the like. */
  | 'killed'
  /** Ended by its own doing: abort, segmentation fault, a heap that burst. */
  | 'crashed';

/** An executor that is gone, and what was seen of its end. */
export interface GoneExecutor {
  /** Its number. */
  member: number;
  death: PreviousDeath;
  /** That ended it, if it was one; for the errors of those it is charged to. */
  signal?: string | undefined;
}

export interface Recovery {
  /** Tasks that were running when the last executor ended, as far as is known. */
  interrupted: number;
  /** Those of them that are now to be tried alone. */
  suspects: number;
  /** Those that reached `maxCrashes` by this and are now recorded as `crashed`. */
  crashed: Outcome[];
}

export interface Cancellation {
  /** The state in which the task was found; `undefined`: it is not known. */
  found: TaskState | undefined;
  /** Its outcome, if it was cancelled by this call. */
  cancelled?: { seq: number; outcome: OutcomeRecord };
}

export interface Retrial {
  /** The state in which the task was found; `undefined`: it is not known. */
  found: TaskState | undefined;
  /** Whether its outcome was taken back by this call. */
  retried: boolean;
}

/** What a run is: one that goes on must be the same. */
export interface RunIdentity {
  /** The module as it was named, an absolute path. */
  module: string;
  /** Its real path. */
  realModule: string;
  /** The handler of tasks that name none; `undefined`: each names its own. */
  handler: string | undefined;
  /** Where its tasks come from; `undefined`: from code. */
  source: 'each' | 'lines' | 'tasks' | undefined;
  /** Of the text of the module; `undefined` where it is not known. */
  version: string | undefined;
}

export interface HeldTasks {
  count: number;
  some: { id: string; input: Encoded }[];
}

export interface WithInput {
  /** Whether outcomes carry their input. Default false. */
  withInput?: boolean;
}

/** Which outcomes are read, and how. */
export interface OutcomeChoice extends WithInput {
  state?: OutcomeState | 'not-done';
  /** Is told of each record that is damaged (`ERR_QUEUE_CORRUPT`), and the others are given. Default: the first one is thrown. */
  onDamaged?: (error: HoldfastError) => void;
}

export interface OutcomeFilter extends OutcomeChoice {
  afterOrdinal?: number;
}

/** A place in the order of outcomes, to be kept and handed back. 0: before the first; `lastOrdinal()`: behind all there are now. */
export type Cursor = number;

export interface OutcomePage {
  outcomes: OutcomeRecord[];
  /** Where to go on: behind these, and behind those in between that were not chosen. */
  cursor: Cursor;
}

/**
 * How thoroughly counts are held against the tasks. `waiting`: those that wait, which costs next to nothing while few
 * do. `start`: those with an outcome as well, and where it may matter, those that run; 40 ms in a million tasks.
 * `all`: each is counted, 1 s in a million.
 */
export type Audit = 'waiting' | 'start' | 'all';

/** A count that was wrong. */
export interface MendedCount {
  /** `unknown`: tasks whose state was damaged, and that are queued now. */
  state: TaskState | 'suspect' | 'unknown';
  was: number;
  is: number;
}

export interface OutcomeRecord extends Outcome {
  /** Rises with the order in which outcomes were recorded, from 1. Never used twice, so there may be gaps. */
  ordinal: number;
}

/** What can be read of a queue, by its executor or by anybody beside it. */
export interface QueueReader {
  counts(): Promise<TaskCounts>;

  /** What was recorded of the run by `identify`; `undefined`: nothing yet. */
  identity(): Promise<RunIdentity | undefined>;

  /** How many outcomes are of another text of the module than this one. Reads all outcomes, if any is. */
  outcomesOfOtherVersions(version: string): Promise<number>;

  /** The outcome of one task, `undefined` if it has none (yet). */
  outcome(id: string, options?: WithInput): Promise<OutcomeRecord | undefined>;

  /**
   * Outcomes in the order they were recorded; streamed, so that millions need
   * no memory. Those recorded meanwhile are in; it ends when it has caught up.
   */
  outcomes(filter?: OutcomeFilter): AsyncIterable<OutcomeRecord>;

  /**
   * Some of the outcomes behind `cursor`, in the order they were recorded: as many as make up a page, so
   * that none needs much memory. To follow a queue, by its executor or beside it:
   *
   *     let cursor = 0;
   *     for (;;) {
   *       const page = await reader.outcomesAfter(cursor);
   *       for (const outcome of page.outcomes) print(outcome);
   *       if (page.cursor === cursor) await somethingMayHaveEnded(); // caught up: there is nothing behind it yet
   *       cursor = page.cursor;
   *     }
   *
   * No outcome is missed or given twice. A page may be empty and still lead on: an outcome that was taken
   * back (`retry`, `clear`) leaves a gap, and one that comes in its place has an ordinal of its own.
   * A cursor stays good for another reader of the same queue, and after the process.
   */
  outcomesAfter(cursor: Cursor, choice?: OutcomeChoice): Promise<OutcomePage>;

  /** The highest ordinal given so far, of outcomes taken back as well; 0: none was recorded yet. */
  lastOrdinal(): Promise<number>;

  /** Waits for writes under way. Safe to call twice. */
  close(): Promise<void>;
}

/** How a task stands that is to be added. */
export interface Standing {
  state: TaskState | 'suspect';
  /** Whether it has the handler and the input that it is to be added with; else it is another task. */
  same: boolean;
}

/** What is recorded of a run, read by somebody beside its executor. */
export interface RecordReader extends QueueReader {
  /** How the task of that id stands; `undefined`: the run does not know it. */
  standing(id: string, handler: string, input: Encoded): Promise<Standing | undefined>;
}

/** Brings tasks in, and decides which of those that are there are to be done. */
export interface Submitting {
  /**
   * Durable when it resolves. All of one call, or none.
   *
   * A duplicate without an outcome takes over priority, timeout and retries as
   * they are given now; for a task that is running, from its next attempt on.
   *
   * @param told default `at once`. With `with outcome`, a write that fails later is not told here (see `claim`), and
   * what became of the tasks may be told in short: of a million without an id there is no more to tell
   */
  add(tasks: readonly NewTask[], told: 'with outcome'): Promise<AddedTask[] | AllAdded>;
  add(tasks: readonly NewTask[], told?: 'at once'): Promise<AddedTask[]>;

  /** Records a waiting task (queued, delayed or suspect) as `cancelled`; any other is left as it is. */
  cancel(id: string): Promise<Cancellation>;

  /**
   * Makes tasks with one of these outcomes ready again, as if they had never
   * run; gives their number. The one way to take an outcome back. Those that no
   * `add` has named since the last `hold` are held.
   */
  retry(states: readonly OutcomeState[]): Promise<number>;

  /** The same for one task, which `hold` then holds no longer; it keeps an outcome that is `done`. */
  retryTask(id: string): Promise<Retrial>;

  /** What is held back: how many, and up to `limit` of them, in no order. */
  held(limit: number): Promise<HeldTasks>;

  /** Holds nothing back any more. */
  letGo(): Promise<void>;
}

/** Gives tasks to who runs them, and takes back what became of them. */
export interface Claiming {
  readonly traits: StoreTraits;

  /** The number of this executor among all that opened the queue: it rises. Also the fencing token of its tasks. */
  readonly member: number;

  /**
   * Tells `listener` that there may be work which was not there when it was last asked for, from wherever it came:
   * added, given back, taken back or let go, by this process or another one. What waits when this is called is not
   * told, nor is a delayed task that comes due. It may be told for nothing, but no work comes without being told.
   *
   * Of `add` and `retry` it is told in the tick in which they are called: a claim made then shares their write. Of any
   * other call, before that resolves. One listener; the next one takes its place.
   */
  onWork(listener: (work: Work) => void): void;

  /**
   * Marks up to `limit` tasks as running and gives them back: highest priority
   * first, then in the order of arrival. Delayed tasks that are due by `now`
   * (milliseconds since the epoch) are `queued` from then on. Suspects are
   * not given.
   *
   * It may resolve before tasks that it gives are on the disk. Where they then cannot be written, every later
   * write and `check` of this executor rejects for that reason: what it was given is nobody's.
   */
  claim(limit: number, now: number): Promise<ClaimedTask[]>;

  /** Marks the oldest suspect as running *alone* and gives it back. */
  claimSuspect(): Promise<ClaimedTask | undefined>;

  /** Milliseconds since the epoch at which the next delayed task is due. */
  nextDue(): Promise<number | undefined>;

  /** How many suspects wait. */
  suspects(): Promise<number>;

  /**
   * Records what became of claimed tasks, in one write. Where a claim is over, that
   * one is refused, and the others are recorded: a recorded outcome never changes.
   */
  settle(settlements: readonly Settlement[]): Promise<Settled>;
}

/** Begins an executor where others have ended, and sees to it that what is recorded stays whole. */
export interface Recovering {
  /** The number of the executor before this one; 0: this is the first. */
  readonly predecessor: number;

  /**
   * Deals with what an executor left running that is gone. Of this executor, or a later one, it deals with
   * nothing. A store that one executor has alone deals alike with what any before that one left.
   *
   * A task that was running *alone* when its executor crashed or was killed
   * in front of a supervisor is charged a crash, and recorded as `crashed`
   * from `maxCrashes` on, else tried alone again. One that was in company is
   * charged nothing. After a `crashed` death it becomes a suspect at once;
   * after `killed` or `unseen` it has the benefit of the doubt once, and
   * becomes a suspect the second time. After `unseen` nobody is charged, and
   * a suspect stays one.
   *
   * Nobody is left to tell when the fatal attempt began, so a `crashed`
   * outcome recorded here has neither start nor thread.
   */
  recover(gone: GoneExecutor, maxCrashes: number): Promise<Recovery>;

  /** Records what the run is, in place of what was recorded before. */
  identify(identity: RunIdentity): Promise<void>;

  /**
   * Begins a start that names its tasks again: what waits is held back from now
   * on, and an outcome that is taken back by `retry`, too. A held task is given
   * by `claim` or `claimSuspect`, and counted by `nextDue` and `suspects`, once
   * `add` has named it, or after `letGo`. What is running is not held.
   * It outlasts the executor: its successor finds held what was not named yet. Where the process that keeps
   * the queue has ended as well, what was named and has not run may be held again.
   *
   * Gives the highest seq so far: tasks up to it are of earlier starts.
   */
  hold(): Promise<number>;

  /** Brings delayed tasks forward that would be due later than `latest`, in milliseconds since the epoch: they are due then. */
  capDelays(latest: number): Promise<void>;

  /** Holds the counts against the tasks, mends those that differ, and gives them. `start`: before `recover`. */
  audit(how: Audit): Promise<MendedCount[]>;

  /**
   * Forgets all tasks and outcomes. Numbers of executors, seqs and ordinals go on: what
   * was handed out of them keeps its meaning.
   */
  clear(): Promise<void>;

  /**
   * Looks whether all that was recorded still lies where the next executor finds it; rejects with `ERR_QUEUE_LOST`
   * if not. Each write does so before it resolves, and `close` before it closes: this is for a queue that is idle.
   */
  check(): Promise<void>;
}

/** All of it, as its executor opens it. Who uses it asks for those roles that it needs. */
export interface TaskQueue extends QueueReader, Submitting, Claiming, Recovering {
  /**
   * Resolves with the reason once it can be asked nothing any more, whether it is asked or not: the process that keeps
   * the store has died. Absent where the store is in this process.
   */
  readonly lost?: Promise<HoldfastError>;
}

/** A store as its keeper has it open: it outlives the executors that use it, one after the other. */
export interface QueueStore {
  /** Opens it for the next executor: its number rises, and the one before is refused from now on (`ERR_STALE_EXECUTOR`). */
  join(): Promise<TaskQueue>;
  /** The executor that joined last is gone without `close`: what it had claimed is for the next one to recover, in this process or a later one. */
  left(): Promise<void>;
}
