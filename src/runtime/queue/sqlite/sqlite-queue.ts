/**
 * The durable queue: SQLite in WAL mode with `synchronous=FULL`, so what is
 * committed is on the disk. Calls made in the same turn of the event loop share
 * one transaction.
 */
import type { NewTask, OutcomeState, TaskCounts } from '../../task/task.js';
import type {
  Retrial,
  AddedTask,
  AddTold,
  Audit,
  Cancellation,
  ClaimedTask,
  Cursor,
  GoneExecutor,
  HeldTasks,
  MendedCount,
  OutcomeChoice,
  OutcomeFilter,
  OutcomePage,
  OutcomeRecord,
  Recovery,
  RunIdentity,
  Settled,
  Settlement,
  QueueStore,
  TaskQueue,
  WithInput,
  Work,
} from '../contract.js';
import type { When } from '../../../system/sqlite/group-commit.js';
import { WorkSignal } from '../work-signal.js';
import { SQLITE_TRAITS } from '../traits.js';
import { inQueueWords } from './file/errors.js';
import { openForWriting } from './file/file.js';
import { countsOf } from './ledger.js';
import { SqliteStore } from './sqlite-store.js';
import type { Transaction } from './writes/transaction.js';
import { heldTasks, nextDue, suspects } from './waiting.js';

/**
 * Opens the queue at `path` for its keeper: creates the file (mode 0600; its
 * folder must be there), and migrates it. Each executor that joins raises the
 * epoch by one, so that any that joined before may no longer write.
 *
 * SQLite works on the calling thread: a commit blocks it for as long as the
 * disk takes to sync, and another process's lock for up to 2 s.
 *
 * When its files are removed or replaced under it, it saves all that is recorded
 * as `<path without .db>.saved-<n>.db`, or in one of the other places.
 *
 * @param elsewhere paths for that copy where the folder of the queue is gone as well; `-<n>.db` is added
 * @throws HoldfastError `ERR_QUEUE_NEWER_SCHEMA`, `ERR_QUEUE_CORRUPT`, `ERR_QUEUE_DISK_FULL`,
 * `ERR_QUEUE_READ_ONLY`, `ERR_QUEUE_BUSY`, `ERR_QUEUE_IO`.
 */
export async function openSqliteStore(path: string, elsewhere: readonly string[] = []): Promise<QueueStore> {
  const store = inQueueWords(path, () => {
    const db = openForWriting(path);
    try {
      return new SqliteStore(db, [`${path.replace(/\.db$/, '')}.saved`, ...elsewhere]);
    } catch (error) {
      db.close();
      throw error;
    }
  });
  return {
    join: async () => {
      const signal = new WorkSignal();
      return new SqliteQueue(store, await store.admit((work) => signal.came(work)), signal);
    },
    left: () => store.left(),
  };
}

/** Opens it for one executor, and no other. */
export async function openSqliteQueue(path: string, elsewhere: readonly string[] = []): Promise<TaskQueue> {
  return (await openSqliteStore(path, elsewhere)).join();
}

/** The open file, as one of its executors sees it. */
class SqliteQueue implements TaskQueue {
  readonly traits = SQLITE_TRAITS;
  readonly member: number;
  readonly predecessor: number;
  readonly #store: SqliteStore;
  readonly #signal: WorkSignal;

  constructor(store: SqliteStore, member: number, signal: WorkSignal) {
    this.member = member;
    this.predecessor = member - 1;
    this.#store = store;
    this.#signal = signal;
  }

  recover(gone: GoneExecutor, maxCrashes: number): Promise<Recovery> {
    return this.#write((tx) => this.#store.recover(tx, gone, maxCrashes));
  }

  identify(identity: RunIdentity): Promise<void> {
    return this.#write((tx) => this.#store.starting.identify(tx, identity));
  }

  hold(): Promise<number> {
    return this.#write((tx) => this.#store.starting.hold(tx));
  }

  letGo(): Promise<void> {
    return this.#write((tx) => this.#store.starting.letGo(tx));
  }

  // Of tasks that come by `add` and `retry` it is told before they are written: the claim that
  // follows shares their transaction, and whoever asks what is left to do finds it under way.
  add(tasks: readonly NewTask[], told?: AddTold): Promise<AddedTask[]> {
    this.#signal.came('queued');
    const when = told === 'with outcome' ? 'applied' : 'committed';
    return this.#write((tx) => this.#store.adding.add(tx, tasks), when);
  }

  onWork(listener: (work: Work) => void): void {
    this.#signal.listen(listener);
  }

  claim(limit: number, now: number): Promise<ClaimedTask[]> {
    return this.#write((tx) => this.#store.claiming.claim(tx, limit, now), 'applied');
  }

  claimSuspect(): Promise<ClaimedTask | undefined> {
    return this.#write((tx) => this.#store.claiming.claimSuspect(tx), 'applied');
  }

  settle(settlements: readonly Settlement[]): Promise<Settled> {
    return this.#write((tx) => this.#store.settling.settle(tx, settlements));
  }

  clear(): Promise<void> {
    return this.#write((tx) => this.#store.starting.clear(tx));
  }

  cancel(id: string): Promise<Cancellation> {
    return this.#write((tx) => this.#store.changing.cancel(tx, id));
  }

  retryTask(id: string): Promise<Retrial> {
    this.#signal.came('queued');
    return this.#write((tx) => this.#store.changing.retryTask(tx, id));
  }

  retry(states: readonly OutcomeState[]): Promise<number> {
    this.#signal.came('queued');
    return this.#write((tx) => this.#store.changing.retry(tx, states));
  }

  audit(how: Audit): Promise<MendedCount[]> {
    return this.#write((tx) => this.#store.audit(tx, how));
  }

  capDelays(latest: number): Promise<void> {
    return this.#write((tx) => this.#store.starting.capDelays(tx, latest));
  }

  async nextDue(): Promise<number | undefined> {
    await this.#store.settled();
    return nextDue(this.#store);
  }

  async suspects(): Promise<number> {
    await this.#store.settled();
    return suspects(this.#store);
  }

  async held(limit: number): Promise<HeldTasks> {
    await this.#store.settled();
    return heldTasks(this.#store, limit);
  }

  async identity(): Promise<RunIdentity | undefined> {
    await this.#store.settled();
    return this.#store.reader.identity();
  }

  async outcomesOfOtherVersions(version: string): Promise<number> {
    await this.#store.settled();
    return this.#store.reader.outcomesOfOtherVersions(version);
  }

  async counts(): Promise<TaskCounts> {
    await this.#store.settled();
    return countsOf(this.#store.row);
  }

  async lastOrdinal(): Promise<number> {
    await this.#store.settled();
    return this.#store.row.last_ordinal;
  }

  async outcome(id: string, options?: WithInput): Promise<OutcomeRecord | undefined> {
    await this.#store.readable();
    return this.#store.reader.outcome(id, options);
  }

  async *outcomes(filter?: OutcomeFilter): AsyncIterable<OutcomeRecord> {
    await this.#store.readable();
    yield* this.#store.reader.outcomes(filter);
  }

  async outcomesAfter(cursor: Cursor, choice?: OutcomeChoice): Promise<OutcomePage> {
    await this.#store.readable();
    return this.#store.reader.outcomesAfter(cursor, choice);
  }

  check(): Promise<void> {
    return this.#store.check();
  }

  close(): Promise<void> {
    return this.#store.close(this.member);
  }

  #write<T>(body: (tx: Transaction) => T, when?: When): Promise<T> {
    return this.#store.write(this.member, body, when);
  }
}
