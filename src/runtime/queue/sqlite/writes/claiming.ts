/** Gives tasks out. */
import type { ClaimedTask } from '../../contract.js';
import { move } from '../ledger.js';
import type { Claimed } from '../backlog/backlog.js';
import type { Parts } from '../parts.js';
import { claimedTask } from '../rows/rows.js';
import type { Transaction } from './transaction.js';

/** A task that has run for so long, in ms, is noted as running. */
const NOTED_AFTER_MS = 1000;

/** As many as one executor may make; leaves room for nine million executors. */
const CLAIMS_OF_A_MEMBER = 1e9;

export class Claiming {
  readonly #parts: Parts;
  /** Of the last claim. */
  #token = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Claims of this executor from now on: none has the token of an earlier one's, of this keeper or another. */
  begin(member: number): void {
    this.#token = member * CLAIMS_OF_A_MEMBER;
  }

  claim(tx: Transaction, limit: number, now: number): ClaimedTask[] {
    const { ledger } = tx;
    if (ledger.delayed > 0) this.#wake(tx, now);
    if (ledger.queued === 0 || limit <= 0) return [];
    const marks =
      ledger.queued > this.#parts.backlog.waiting ? this.#parts.sql.readyMarks.all(ledger.start, limit) : [];
    const plain = this.#parts.backlog.firstReady(limit);
    if (marks.length === 0) return this.#claimPlain(tx, plain);
    // The backlog has the priority 0.
    const all = [...marks, ...plain.map((seq) => ({ seq, priority: 0, isPlain: true }))]
      .sort((a, b) => b.priority - a.priority || a.seq - b.seq)
      .slice(0, limit);
    const isPlain = (each: object) => 'isPlain' in each;
    const ofBacklog = this.#claimPlain(
      tx,
      all.filter(isPlain).map(({ seq }) => seq),
    );
    const marked = this.#claimMarks(
      tx,
      'queued',
      all.filter((each) => !isPlain(each)).map(({ seq }) => seq),
    );
    const bySeq = new Map([...ofBacklog, ...marked].map((task) => [task.seq, task]));
    return all.flatMap(({ seq }) => bySeq.get(seq) ?? []);
  }

  claimSuspect(tx: Transaction): ClaimedTask | undefined {
    if (tx.ledger.suspect === 0) return undefined;
    const seq = this.#parts.sql.nextSuspect.get(tx.ledger.start);
    if (seq === undefined) return undefined;
    return this.#claimMarks(tx, 'suspect', [seq])[0];
  }

  /** Notes what has run for a while: if all dies at once, the next executor is to know. */
  note(tx: Transaction): void {
    const before = performance.now() - NOTED_AFTER_MS;
    this.#markClaimed(tx, ({ at }) => at <= before);
  }

  /** Whether `note` has something to write. */
  get isToNote(): boolean {
    const before = performance.now() - NOTED_AFTER_MS;
    for (const { at, marked } of this.#parts.backlog.claimed.values()) {
      if (at > before) return false;
      if (!marked) return true;
    }
    return false;
  }

  /** Notes all that is claimed, as their executor is gone, and ends the claims. */
  leave(tx: Transaction): void {
    const { backlog } = this.#parts;
    this.#markClaimed(tx, () => true);
    backlog.unclaim(tx, new Map(backlog.claimed));
  }

  #markClaimed(tx: Transaction, isIt: (claimed: Claimed) => boolean): void {
    const { backlog, sql } = this.#parts;
    for (const [seq, claimed] of [...backlog.claimed]) {
      if (!isIt(claimed)) return;
      if (claimed.marked) continue;
      tx.changed = true;
      sql.mark.run(seq, 'running', tx.ledger.start, 0);
      backlog.leave(tx, seq);
    }
  }

  #wake(tx: Transaction, now: number): void {
    const { changes } = this.#parts.sql.wake.run(tx.ledger.start, now);
    if (changes === 0) return;
    tx.changed = true;
    move(tx.ledger, 'delayed', 'queued', changes);
  }

  #claimPlain(tx: Transaction, seqs: readonly number[]): ClaimedTask[] {
    if (seqs.length === 0) return [];
    const { backlog } = this.#parts;
    const claimed = { token: ++this.#token, at: performance.now(), marked: false };
    backlog.claim(tx, seqs, claimed);
    const tasks = this.#read(seqs, claimed.token);
    move(tx.ledger, 'queued', 'running', seqs.length);
    return tasks;
  }

  #claimMarks(tx: Transaction, from: 'queued' | 'suspect', seqs: readonly number[]): ClaimedTask[] {
    const { backlog, sql, handlerName } = this.#parts;
    const claimed = { token: ++this.#token, at: performance.now(), marked: true };
    backlog.claim(tx, seqs, claimed);
    tx.changed = true;
    move(tx.ledger, from, 'running', seqs.length);
    return seqs.map((seq) => {
      sql.claimMark.run(from === 'suspect' ? 1 : 0, seq);
      return claimedTask(sql.markedTask.get(seq)!, claimed.token, handlerName);
    });
  }

  /** What is not known from a moment ago comes from the file, as many at once as stand side by side. */
  #read(seqs: readonly number[], token: number): ClaimedTask[] {
    const { recent, sql, handlerName } = this.#parts;
    const tasks: ClaimedTask[] = [];
    for (let at = 0; at < seqs.length; at++) {
      const seq = seqs[at]!;
      const task = recent.take(seq);
      if (task !== undefined) {
        const { id, handler, input, priority, timeoutMs, retries } = task;
        const fresh = { attempts: 0, crashes: 0, earlier: undefined };
        tasks.push({ seq, token, id, handler, input, priority, timeoutMs, retries, ...fresh });
        continue;
      }
      let last = at;
      while (seqs[last + 1] === seqs[last]! + 1 && !recent.has(seqs[last + 1]!)) last++;
      for (const row of sql.tasks.all(seq, seqs[last]!)) tasks.push(claimedTask(row, token, handlerName));
      at = last;
    }
    return tasks;
  }
}
