/** The store without a disk: what it holds ends with the process. */
import type { NewTask, OutcomeState, TaskCounts } from '../../task/task.js';
import type {
  Retrial,
  AddedTask,
  AddTold,
  AllAdded,
  Cancellation,
  ClaimedTask,
  Cursor,
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
  TaskQueue,
  WithInput,
  Work,
} from '../contract.js';
import { isRetriable } from '../endings.js';
import { generatedId, idOf } from '../generated-id.js';
import { Counts } from './counts.js';
import { Lines } from './lines.js';
import { changeOptions, giveBack, isSame, renew, stateAfter, waits, type MemoryTask } from './memory-task.js';
import { cancelledEnding, outcomeRecord, Outcomes, type Ending } from './outcomes.js';
import { Tasks } from './tasks.js';
import { queueClosed } from '../refusals.js';
import { MEMORY_TRAITS } from '../traits.js';
import { WorkSignal } from '../work-signal.js';

/**
 * Opens an empty queue in memory. Its executor is the first.
 *
 * It keeps the outcomes of those tasks only that were given an id; of the
 * others (`#<seq>`) it keeps nothing but their number in `counts`, so that an
 * executor may live for long. Once settled, such a task is unknown to
 * `outcome`, `outcomes`, `cancel` and `retry`.
 */
export function openMemoryQueue(): TaskQueue {
  return new MemoryQueue();
}

class MemoryQueue implements TaskQueue {
  readonly traits = MEMORY_TRAITS;
  readonly member = 1;
  readonly predecessor = 0;
  readonly #tasks = new Tasks();
  readonly #lines = new Lines();
  readonly #outcomes = new Outcomes();
  readonly #counts = new Counts();
  readonly #signal = new WorkSignal();
  #identity: RunIdentity | undefined;
  #closed = false;

  async clear(): Promise<void> {
    this.#refuseIfClosed();
    this.#tasks.clear();
    this.#lines.clear();
    this.#outcomes.clear();
    this.#counts.clear();
    this.#identity = undefined;
  }

  /** Nothing outlives the process, so nothing was left running. */
  async recover(): Promise<Recovery> {
    this.#refuseIfClosed();
    return { interrupted: 0, suspects: 0, crashed: [] };
  }

  async identify(identity: RunIdentity): Promise<void> {
    this.#refuseIfClosed();
    this.#identity = { ...identity };
  }

  async identity(): Promise<RunIdentity | undefined> {
    this.#refuseIfClosed();
    return this.#identity && { ...this.#identity };
  }

  async outcomesOfOtherVersions(version: string): Promise<number> {
    this.#refuseIfClosed();
    return this.#outcomes.ofOtherVersions(version);
  }

  async hold(): Promise<number> {
    this.#refuseIfClosed();
    const suspects = this.#counts.of('suspect');
    this.#lines.hold(this.#counts.of('queued') + this.#counts.of('delayed') + suspects, suspects);
    for (const task of this.#counts.of('running') === 0 ? [] : this.#tasks.allLive()) {
      if (task.state === 'running') task.start = this.#lines.start;
    }
    return this.#tasks.lastSeq;
  }

  async letGo(): Promise<void> {
    this.#refuseIfClosed();
    for (const task of this.#heldTasks()) this.#letIn(task);
  }

  async held(limit: number): Promise<HeldTasks> {
    this.#refuseIfClosed();
    const some: HeldTasks['some'] = [];
    for (const task of this.#heldTasks()) {
      if (some.length >= limit) break;
      some.push({ id: idOf(task.claim), input: task.claim.input });
    }
    return { count: this.#lines.held, some };
  }

  add(tasks: readonly NewTask[], told: 'with outcome'): Promise<AddedTask[] | AllAdded>;
  add(tasks: readonly NewTask[], told?: 'at once'): Promise<AddedTask[]>;
  async add(tasks: readonly NewTask[], told?: AddTold): Promise<AddedTask[] | AllAdded> {
    this.#refuseIfClosed();
    this.#signal.came('queued');
    if (told !== 'with outcome' || tasks.some(({ id }) => id !== undefined)) {
      return tasks.map((task) => this.#add(task));
    }
    const first = this.#tasks.lastSeq + 1;
    for (const task of tasks) this.#append(task);
    return { first };
  }

  onWork(listener: (work: Work) => void): void {
    this.#signal.listen(listener);
  }

  async claim(limit: number, now: number): Promise<ClaimedTask[]> {
    this.#refuseIfClosed();
    for (let due = this.#lines.nextDue(now); due !== undefined; due = this.#lines.nextDue(now)) {
      this.#counts.move(due, 'queued');
      this.#lines.enter(due);
    }
    const given = new Array<ClaimedTask>(Math.min(limit, this.#counts.of('queued')));
    let count = 0;
    for (; count < given.length; count++) {
      const task = this.#lines.nextReady();
      if (task === undefined) break;
      task.state = 'running';
      given[count] = task.claim;
    }
    this.#counts.moved(count, 'queued', 'running');
    given.length = count;
    return given;
  }

  async claimSuspect(): Promise<ClaimedTask | undefined> {
    this.#refuseIfClosed();
    const task = this.#lines.nextSuspect();
    if (task !== undefined) this.#counts.move(task, 'running');
    return task?.claim;
  }

  async settle(settlements: readonly Settlement[]): Promise<Settled> {
    this.#refuseIfClosed();
    const ordinals = new Array<number>(settlements.length);
    let recorded = 0;
    let done = 0;
    const refused: Settlement[] = [];
    for (const settlement of settlements) {
      const { seq, token } = settlement.claim;
      const task = this.#tasks.live(seq);
      if (task?.state !== 'running' || task.claim.token !== token) {
        refused.push(settlement);
        continue;
      }
      const state = stateAfter(settlement);
      task.state = state;
      // As nearly all are: they are counted together.
      if (state === 'done') done += 1;
      else this.#counts.moved(1, 'running', state);
      if (settlement.kind === 'outcome') ordinals[recorded++] = this.#record(task, settlement);
      else {
        giveBack(task, settlement);
        this.#enter(task);
      }
    }
    this.#counts.moved(done, 'running', 'done');
    ordinals.length = recorded;
    return { ordinals, refused };
  }

  async cancel(id: string): Promise<Cancellation> {
    this.#refuseIfClosed();
    const task = this.#tasks.find(id);
    if (task === undefined) return { found: undefined };
    const { state } = task;
    if (!waits(state)) return { found: state };
    this.#counts.move(task, 'cancelled');
    this.#lines.leave(task, state, this.#counts.of('queued'));
    const { claim } = task;
    const ending = cancelledEnding(claim);
    const outcome = outcomeRecord(this.#record(task, ending), claim, ending);
    return { found: state === 'suspect' ? 'queued' : state, cancelled: { seq: claim.seq, outcome } };
  }

  async retry(states: readonly OutcomeState[]): Promise<number> {
    this.#refuseIfClosed();
    const again = this.#outcomes.takeBack(({ state }) => states.includes(state));
    for (const { id } of again) this.#takeBack(this.#tasks.named(id)!);
    return again.length;
  }

  async retryTask(id: string): Promise<Retrial> {
    this.#refuseIfClosed();
    const task = this.#tasks.find(id);
    if (task === undefined) return { found: undefined, retried: false };
    const found = task.state === 'suspect' ? 'queued' : task.state;
    if (!isRetriable(found)) return { found, retried: false };
    this.#outcomes.takeBack((outcome) => outcome.id === id);
    task.start = this.#lines.start;
    this.#takeBack(task);
    return { found, retried: true };
  }

  /** Its outcome is none any more. */
  #takeBack(task: MemoryTask): void {
    this.#counts.move(task, 'queued');
    renew(task);
    this.#tasks.revive(task);
    this.#enter(task);
  }

  /** They are counted beside the tasks themselves. */
  async audit(): Promise<MendedCount[]> {
    this.#refuseIfClosed();
    return [];
  }

  /** They were all delayed in this process, by a clock that nobody sets. */
  async capDelays(): Promise<void> {
    this.#refuseIfClosed();
  }

  async nextDue(): Promise<number | undefined> {
    this.#refuseIfClosed();
    return this.#lines.dueAt;
  }

  async suspects(): Promise<number> {
    this.#refuseIfClosed();
    return this.#counts.of('suspect') - this.#lines.heldSuspects;
  }

  /** Nobody can take memory away. */
  async check(): Promise<void> {
    this.#refuseIfClosed();
  }

  async counts(): Promise<TaskCounts> {
    this.#refuseIfClosed();
    return this.#counts.told();
  }

  async outcome(id: string, { withInput = false }: WithInput = {}): Promise<OutcomeRecord | undefined> {
    this.#refuseIfClosed();
    const task = this.#tasks.named(id);
    return task?.outcome && { ...task.outcome, ...(withInput && { input: task.claim.input }) };
  }

  async *outcomes(filter: OutcomeFilter = {}): AsyncIterable<OutcomeRecord> {
    let after = filter.afterOrdinal ?? 0;
    for (;;) {
      const { outcomes, cursor } = await this.outcomesAfter(after, filter);
      yield* outcomes;
      if (cursor === after) return;
      after = cursor;
    }
  }

  async outcomesAfter(cursor: Cursor, choice: OutcomeChoice = {}): Promise<OutcomePage> {
    this.#refuseIfClosed();
    const page = this.#outcomes.after(cursor, choice);
    if (choice.withInput)
      for (const outcome of page.outcomes) outcome.input = this.#tasks.named(outcome.id)!.claim.input;
    return page;
  }

  async lastOrdinal(): Promise<number> {
    this.#refuseIfClosed();
    return this.#outcomes.lastOrdinal;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #add(task: NewTask): AddedTask {
    const { id } = task;
    const known = id === undefined ? undefined : this.#tasks.named(id);
    if (known !== undefined) {
      return isSame(known, task) ? this.#addAgain(known, task) : { seq: known.claim.seq, id: id!, status: 'conflict' };
    }
    const seq = this.#append(task);
    return { seq, id: id ?? generatedId(seq), status: 'added' };
  }

  /** A task that is new. Gives its number. */
  #append(task: NewTask): number {
    const added = this.#tasks.add(task, this.#lines.start);
    this.#counts.add();
    this.#lines.append(added);
    return added.claim.seq;
  }

  #addAgain(task: MemoryTask, again: NewTask): AddedTask {
    const { claim, state } = task;
    const added: AddedTask = { seq: claim.seq, id: idOf(claim), status: 'duplicate' };
    if (state !== 'running' && !waits(state)) return added;
    const held = this.#lines.isHeld(task);
    const moved = claim.priority !== again.priority;
    changeOptions(task, again);
    if (held) this.#letIn(task);
    else if (moved && state === 'queued') this.#lines.move(task, this.#counts.of('queued'));
    return added;
  }

  *#heldTasks(): Iterable<MemoryTask> {
    if (this.#lines.held === 0) return;
    for (const task of this.#tasks.allLive()) if (this.#lines.isHeld(task)) yield task;
  }

  /** A task that is held back no longer is. */
  #letIn(task: MemoryTask): void {
    this.#lines.letIn(task);
    this.#signal.came(task.state as Work);
  }

  /** A task waits again. */
  #enter(task: MemoryTask): void {
    this.#lines.enter(task);
    this.#signal.came(task.state as Work);
  }

  #record(task: MemoryTask, ending: Ending): number {
    this.#tasks.end(task);
    return this.#outcomes.record(task, ending);
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw queueClosed();
  }
}
