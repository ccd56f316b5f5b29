/** The durable store: one SQLite file, written in transactions that end on the disk. */
import type { Database, Statement } from 'better-sqlite3';
import type { NewTask, OutcomeState, TaskCounts } from '../../task/task.js';
import type {
  Retrial,
  AddedTask,
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
  QueueStore,
  Recovery,
  RunIdentity,
  Settled,
  Settlement,
  TaskQueue,
  WithInput,
  Work,
} from '../contract.js';
import { GroupCommit } from '../../../system/sqlite/group-commit.js';
import { OpenFiles } from '../../../system/open-files.js';
import { queueClosed, takenOver } from '../refusals.js';
import { WorkSignal } from '../work-signal.js';
import { SQLITE_TRAITS } from '../traits.js';
import { saveLostQueue } from './saved-copy.js';
import { inQueueWords, isStoreTrouble } from './errors.js';
import { auditCounts } from './audit.js';
import { closeAtRest, openForWriting } from './file.js';
import { Ledger, raiseEpoch } from './ledger.js';
import type { LedgerRow } from './ledger.js';
import { SqliteReader } from './reader.js';
import { SqliteWrites } from './writes.js';

/**
 * Opens the queue at `path` for its keeper: creates the file (mode 0600; its
 * folder must be there), and migrates it. Each executor that joins raises the
 * epoch by one, so that any that opened it before may no longer write. The queue
 * of the one that joined last closes the file.
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
  return inQueueWords(path, () => {
    const { db, unclean } = openForWriting(path);
    return new SqliteStore(db, unclean, [`${path.replace(/\.db$/, '')}.saved`, ...elsewhere]);
  });
}

/** Opens it for an executor that nobody follows. */
export async function openSqliteQueue(path: string, elsewhere?: readonly string[]): Promise<TaskQueue> {
  return (await openSqliteStore(path, elsewhere)).join();
}

class SqliteStore implements QueueStore {
  readonly #db: Database;
  readonly #copyPlaces: readonly string[];
  #unclean: boolean;
  #last: SqliteQueue | undefined;

  constructor(db: Database, unclean: boolean, copyPlaces: readonly string[]) {
    this.#db = db;
    this.#unclean = unclean;
    this.#copyPlaces = copyPlaces;
  }

  async join(): Promise<TaskQueue> {
    return inQueueWords(this.#db.name, () => {
      try {
        const isLast = (queue: SqliteQueue) => queue === this.#last;
        this.#last = new SqliteQueue(this.#db, raiseEpoch(this.#db), this.#unclean, this.#copyPlaces, isLast);
      } catch (error) {
        if (this.#last === undefined) this.#db.close();
        throw error;
      }
      this.#unclean = true;
      return this.#last;
    });
  }

  /** Each claim is in the file. */
  async left(): Promise<void> {}
}

class SqliteQueue implements TaskQueue {
  readonly traits = SQLITE_TRAITS;
  readonly member: number;
  readonly predecessor: number;
  readonly #db: Database;
  readonly #begin: Statement<[]>;
  readonly #commit: Statement<[]>;
  readonly #ledger: Ledger;
  readonly #writes: SqliteWrites;
  readonly #reader: SqliteReader;
  readonly #group: GroupCommit;
  readonly #signal = new WorkSignal();
  /** The ledger as the open transaction sees and changes it. */
  #row: LedgerRow | undefined;
  #closed: Promise<void> | undefined;
  /** Whether the executor before this one did not come to close it. */
  readonly #unclean: boolean;
  readonly #files: OpenFiles;
  readonly #copyPlaces: readonly string[];
  /** Whether the file is still this one's to close. */
  readonly #mayClose: (queue: SqliteQueue) => boolean;
  /** Why nothing is written or told any more. */
  #lost: Error | undefined;

  constructor(
    db: Database,
    { epoch, claims }: ReturnType<typeof raiseEpoch>,
    unclean: boolean,
    copyPlaces: readonly string[],
    mayClose: (queue: SqliteQueue) => boolean,
  ) {
    this.#mayClose = mayClose;
    this.member = epoch;
    this.predecessor = epoch - 1;
    this.#unclean = unclean;
    this.#files = new OpenFiles(db.name);
    this.#copyPlaces = copyPlaces;
    this.#db = db;
    this.#begin = db.prepare('begin immediate');
    this.#commit = db.prepare('commit');
    this.#ledger = new Ledger(db);
    this.#writes = new SqliteWrites(db, claims);
    this.#reader = new SqliteReader(db);
    this.#group = new GroupCommit({ transact: (body) => this.#transact(body), isStoreTrouble });
  }

  recover(gone: GoneExecutor, maxCrashes: number): Promise<Recovery> {
    return this.#write((ledger) => this.#writes.recover(ledger, gone, maxCrashes));
  }

  identify(identity: RunIdentity): Promise<void> {
    return this.#write(() => this.#writes.identify(identity));
  }

  hold(): Promise<number> {
    return this.#write((ledger) => this.#writes.hold(ledger));
  }

  letGo(): Promise<void> {
    return this.#write((ledger) => this.#writes.letGo(ledger));
  }

  // Of tasks that come by `add` and `retry` it is told before they are written: the claim that
  // follows shares their transaction, and whoever asks what is left to do finds it under way.
  add(tasks: readonly NewTask[]): Promise<AddedTask[]> {
    this.#signal.came('queued');
    return this.#write((ledger) => this.#writes.add(ledger, tasks));
  }

  onWork(listener: (work: Work) => void): void {
    this.#signal.listen(listener);
  }

  claim(limit: number, now: number): Promise<ClaimedTask[]> {
    return this.#write((ledger) => this.#writes.claim(ledger, limit, now));
  }

  claimSuspect(): Promise<ClaimedTask | undefined> {
    return this.#write((ledger) => this.#writes.claimSuspect(ledger));
  }

  settle(settlements: readonly Settlement[]): Promise<Settled> {
    return this.#write((ledger) => this.#writes.settle(ledger, settlements));
  }

  clear(): Promise<void> {
    return this.#write((ledger) => this.#writes.clear(ledger));
  }

  cancel(id: string): Promise<Cancellation> {
    return this.#write((ledger) => this.#writes.cancel(ledger, id));
  }

  retryTask(id: string): Promise<Retrial> {
    this.#signal.came('queued');
    return this.#write((ledger) => this.#writes.retryTask(ledger, id));
  }

  retry(states: readonly OutcomeState[]): Promise<number> {
    this.#signal.came('queued');
    return this.#write((ledger) => this.#writes.retry(ledger, states));
  }

  audit(how: Audit): Promise<MendedCount[]> {
    return this.#write((ledger) => {
      const mended = auditCounts(this.#db, ledger, how, this.#unclean);
      if (mended.length > 0) this.#writes.cameAll();
      return mended;
    });
  }

  capDelays(latest: number): Promise<void> {
    return this.#write(() => this.#writes.capDelays(latest));
  }

  async nextDue(): Promise<number | undefined> {
    await this.#group.idle();
    return this.#reader.nextDue();
  }

  async suspects(): Promise<number> {
    await this.#group.idle();
    return this.#reader.suspects();
  }

  async held(limit: number): Promise<HeldTasks> {
    await this.#group.idle();
    return this.#reader.held(limit);
  }

  async identity(): Promise<RunIdentity | undefined> {
    await this.#group.idle();
    return this.#reader.identity();
  }

  async outcomesOfOtherVersions(version: string): Promise<number> {
    await this.#group.idle();
    return this.#reader.outcomesOfOtherVersions(version);
  }

  async counts(): Promise<TaskCounts> {
    await this.#group.idle();
    return this.#reader.counts();
  }

  async lastOrdinal(): Promise<number> {
    await this.#group.idle();
    return this.#reader.lastOrdinal();
  }

  async outcome(id: string, options?: WithInput): Promise<OutcomeRecord | undefined> {
    await this.#group.idle();
    this.#refuseIfLost();
    return this.#reader.outcome(id, options);
  }

  async *outcomes(filter?: OutcomeFilter): AsyncIterable<OutcomeRecord> {
    await this.#group.idle();
    this.#refuseIfLost();
    yield* this.#reader.outcomes(filter);
  }

  async outcomesAfter(cursor: Cursor, choice?: OutcomeChoice): Promise<OutcomePage> {
    await this.#group.idle();
    this.#refuseIfLost();
    return this.#reader.outcomesAfter(cursor, choice);
  }

  async check(): Promise<void> {
    await this.#group.idle();
    if (this.#closed === undefined) this.#checkFiles();
  }

  close(): Promise<void> {
    this.#closed ??= this.#group.idle().then(() => this.#end());
    return this.#closed;
  }

  #end(): void {
    if (!this.#mayClose(this)) return;
    try {
      this.#checkFiles();
    } catch (error) {
      // What lies in its place now is not ours to tidy up.
      this.#db.close();
      throw error;
    }
    closeAtRest(this.#db);
  }

  /** Once they were lost, they stay lost: the copy holds all up to then, and nothing that comes later. */
  #checkFiles(): void {
    this.#refuseIfLost();
    const lost = this.#files.whatIsLost();
    if (lost === undefined) return;
    this.#lost = saveLostQueue(this.#db, lost, this.#copyPlaces);
    throw this.#lost;
  }

  #refuseIfLost(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  #write<T>(body: (ledger: LedgerRow) => T): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(queueClosed());
    return this.#group.run(() => body(this.#row!));
  }

  #transact(body: () => void): void {
    this.#refuseIfLost();
    inQueueWords(this.#db.name, () => {
      this.#begin.run();
      try {
        const before = this.#ledger.read();
        if (before.epoch !== this.member) throw takenOver(this.#db.name, this.member, before.epoch);
        this.#row = { ...before };
        this.#writes.came.clear();
        body();
        this.#ledger.write(this.#row, before);
        this.#commit.run();
      } catch (error) {
        // After some errors SQLite has rolled back by itself.
        if (this.#db.inTransaction) this.#db.exec('rollback');
        this.#writes.rolledBack();
        throw error;
      }
    });
    // A commit to a file that nobody finds again is none: before anybody is told.
    this.#checkFiles();
    for (const work of this.#writes.came) this.#signal.came(work);
  }
}
