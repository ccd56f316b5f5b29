import type { Database, Statement } from 'better-sqlite3';
import { GroupCommit, type Transactional, type When } from '../../../system/sqlite/group-commit.js';
import { OpenFiles } from '../../../system/open-files.js';
import type { Audit, GoneExecutor, MendedCount, Recovery, Work } from '../contract.js';
import { queueClosed, takenOver } from '../refusals.js';
import { Adding } from './writes/adding.js';
import { auditCounts, countOpenTasks } from './audit.js';
import { Changing } from './writes/changing.js';
import { Claiming } from './writes/claiming.js';
import { inQueueWords, isStoreTrouble } from './file/errors.js';
import { closeAtRest } from './file/file.js';
import { Ledger, raiseEpoch, type LedgerRow } from './ledger.js';
import { Parts } from './parts.js';
import { SqliteReader } from './reader.js';
import { saveLostQueue } from './file/saved-copy.js';
import { Settling } from './writes/settling.js';
import { Starting } from './writes/starting.js';
import { Transaction } from './writes/transaction.js';

/** How often it is looked for tasks that have run for long, in ms. */
const NOTE_MS = 1000;

/** The open file: what is written to it, in which order, and what is known of it in memory. */
export class SqliteStore implements Transactional {
  readonly parts: Parts;
  readonly adding: Adding;
  readonly changing: Changing;
  readonly claiming: Claiming;
  readonly settling: Settling;
  readonly starting: Starting;
  readonly reader: SqliteReader;
  readonly #db: Database;
  readonly #sql: Record<'begin' | 'commit' | 'savepoint' | 'undo' | 'release', Statement<[]>>;
  readonly #ledger: Ledger;
  readonly #group: GroupCommit;
  readonly #copyPlaces: readonly string[];
  /** The ledger as it was committed last; claims of the backlog are counted in it, and not in the file. */
  #row: LedgerRow;
  /** The parts of the transaction that is open. */
  #open: Transaction[] = [];
  /** The executor whose claims were undone, and by what: nothing that it says holds any more. */
  #broken: { member: number; by: unknown } | undefined;
  /** Of what was running when the file was left, how much nobody has noted: it waits again. */
  #unnoted: number;
  /** Counts that were found to be wrong when the file was opened, and not told yet. */
  #mended: MendedCount[];
  #onWork: (work: Work) => void = () => {};
  #files: OpenFiles | undefined;
  #noting: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  /** Why nothing is written or told any more. */
  #lost: Error | undefined;

  constructor(db: Database, copyPlaces: readonly string[]) {
    this.#copyPlaces = copyPlaces;
    this.#db = db;
    this.#sql = {
      begin: db.prepare('begin immediate'),
      commit: db.prepare('commit'),
      savepoint: db.prepare('savepoint part'),
      undo: db.prepare('rollback to part'),
      release: db.prepare('release part'),
    };
    this.#ledger = new Ledger(db);
    this.parts = new Parts(db);
    this.adding = new Adding(this.parts);
    this.changing = new Changing(this.parts);
    this.claiming = new Claiming(this.parts);
    this.settling = new Settling(this.parts);
    this.starting = new Starting(this.parts);
    this.reader = new SqliteReader(db);
    this.#row = this.#ledger.read();
    this.parts.backlog.find(db, this.#row);
    const { running } = this.#row;
    this.#mended = countOpenTasks(this.#row, this.parts);
    this.#unnoted = Math.max(0, running - this.#row.running);
    this.#group = new GroupCommit(this);
  }

  get row(): LedgerRow {
    return this.#row;
  }

  /**
   * Lets the next executor in, and gives its number.
   * @param onWork is told what comes to the queue, but for what is added
   */
  async admit(onWork: (work: Work) => void): Promise<number> {
    await this.left();
    const member = await this.#run(({ ledger }) => {
      ledger.epoch = raiseEpoch(this.#db);
      return ledger.epoch;
    });
    this.#broken = undefined;
    // Its log is there by now.
    this.#files ??= inQueueWords(this.#db.name, () => new OpenFiles(this.#db.name));
    this.#noting ??= setInterval(() => this.#note(), NOTE_MS).unref();
    this.#onWork = onWork;
    this.claiming.begin(member);
    return member;
  }

  begin(): void {
    this.#refuseIfLost();
    inQueueWords(this.#db.name, () => {
      if (this.#open.length === 0) this.#sql.begin.run();
      else this.#sql.savepoint.run();
    });
    this.#open.push(new Transaction(this.#open.at(-1)?.ledger ?? this.#row));
    if (this.#open.length === 1) this.#refuseStale(this.#row.epoch, this.#ledger.epoch());
  }

  undo(): void {
    this.#open.pop()!.rollBack();
    this.#forgetKeys();
    inQueueWords(this.#db.name, () => {
      if (this.#open.length === 0) this.#db.exec('rollback');
      else {
        this.#sql.undo.run();
        this.#sql.release.run();
      }
    });
  }

  commit(): void {
    const tx = this.#open.at(-1)!;
    inQueueWords(this.#db.name, () => {
      if (this.#open.some(({ changed }) => changed)) this.#ledger.write(this.#lowest(tx.ledger));
      this.#sql.commit.run();
    });
    this.#row = tx.ledger;
    const came = new Set(this.#open.flatMap((part) => [...part.came]));
    this.#open = [];
    // A commit to a file that nobody finds again is none: before anybody is told.
    this.#checkFiles();
    for (const work of came) this.#onWork(work);
  }

  rollBack(): void {
    // After some errors SQLite has rolled back by itself.
    if (this.#db.inTransaction) this.#db.exec('rollback');
    for (const part of this.#open.reverse()) part.rollBack();
    this.#open = [];
    this.#forgetKeys();
  }

  isTrouble(error: unknown): boolean {
    return isStoreTrouble(error);
  }

  /** What was claimed is not running: whoever was given it must not go on as if it were. */
  onBroken(error: unknown): void {
    this.#broken = { member: this.#row.epoch, by: error };
  }

  #run<T>(body: (tx: Transaction) => T, when?: When): Promise<T> {
    return this.#group.run(() => inQueueWords(this.#db.name, () => body(this.#open.at(-1)!)), when);
  }

  #forgetKeys(): void {
    this.parts.handlers.forget();
    this.parts.versions.forget();
  }

  /** Notes what the last executor had claimed, which is gone. */
  async left(): Promise<void> {
    await this.#group.idle();
    if (this.parts.backlog.claimed.size === 0) return;
    await this.#run((tx) => this.claiming.leave(tx));
  }

  /** Runs `body` in the transaction of this turn. @param member of the executor that asks */
  write<T>(member: number, body: (tx: Transaction) => T, when?: When): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(queueClosed());
    return this.#run((tx) => {
      this.#refuseStale(member, this.#row.epoch);
      if (this.#broken?.member === member) throw this.#broken.by;
      return body(tx);
    }, when);
  }

  /** Resolves when all that was called before is written. */
  async settled(): Promise<void> {
    await this.#group.idle();
    if (!this.#db.open) throw queueClosed();
  }

  /** The same, for reads of what is gone with a lost file. */
  async readable(): Promise<void> {
    await this.#group.idle();
    this.#refuseIfLost();
  }

  recover(tx: Transaction, gone: GoneExecutor, maxCrashes: number): Recovery {
    const recovery = this.starting.recover(tx, gone, maxCrashes);
    if (gone.member < this.#row.epoch) {
      recovery.interrupted += this.#unnoted;
      this.#unnoted = 0;
    }
    return recovery;
  }

  audit(tx: Transaction, how: Audit): MendedCount[] {
    const mended = [...this.#mended, ...auditCounts(tx, this.parts, how)];
    this.#mended = [];
    if (mended.length > 0) for (const work of ['queued', 'delayed', 'suspect'] as const) tx.came.add(work);
    return mended;
  }

  async check(): Promise<void> {
    await this.#group.idle();
    if (this.#closed !== undefined) return;
    this.#checkFiles();
    if (this.#broken?.member === this.#row.epoch) throw this.#broken.by;
  }

  /** @param member of the executor that asks: one that another took over from has nothing to close */
  async close(member: number): Promise<void> {
    if (member !== this.#row.epoch) return;
    // What cannot be noted is as good as claimed by nobody.
    this.#closed ??= this.#finish()
      .catch(() => {})
      .then(() => this.#end());
    await this.#closed;
  }

  /** What is claimed still, and counts that no write has brought to the file. */
  async #finish(): Promise<void> {
    await this.left();
    await this.#run((tx) => {
      tx.changed = this.#ledger.differs(this.#lowest(tx.ledger));
    });
  }

  #end(): void {
    clearInterval(this.#noting);
    try {
      this.#checkFiles();
    } catch (error) {
      // What lies in its place now is not ours to tidy up.
      this.#db.close();
      throw error;
    }
    closeAtRest(this.#db);
  }

  #note(): void {
    if (!this.claiming.isToNote) return;
    // What is wrong with the file, the next call is told.
    this.#run((tx) => this.claiming.note(tx)).catch(() => {});
  }

  /** Once they were lost, they stay lost: the copy holds all up to then, and nothing that comes later. */
  #checkFiles(): void {
    this.#refuseIfLost();
    const lost = this.#files?.whatIsLost();
    if (lost === undefined) return;
    this.#lost = saveLostQueue(this.#db, lost, this.#copyPlaces);
    throw this.#lost;
  }

  #refuseIfLost(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  #refuseStale(mine: number, newest: number): void {
    if (newest !== mine) throw takenOver(this.#db.name, mine, newest);
  }

  #lowest(row: LedgerRow): LedgerRow {
    row.low = this.parts.backlog.open.first() ?? row.last_seq + 1;
    return row;
  }
}
