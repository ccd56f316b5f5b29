/** The store without a disk: what it holds ends with the process. */
import type { Encoded, NewTask, OutcomeState, TaskCounts, TaskState } from '../../task/task.js';
import type {
  AddedTask,
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
  Settlement,
  TaskQueue,
  WithInput,
} from '../contract.js';
import { CANCELLED } from '../endings.js';
import { generatedSeq, idOf } from '../generated-id.js';
import { Heap } from './heap.js';
import { firstAfter, outcomeRecord, type Ending } from './outcomes.js';
import { ReadyTasks } from './ready-tasks.js';
import { SeqMap } from '../seq-map.js';
import { notRunning, queueClosed } from '../refusals.js';
import { MEMORY_TRAITS } from '../traits.js';

/**
 * Opens an empty queue in memory. Its epoch is 1.
 *
 * It keeps the outcomes of those tasks only that were given an id; of the
 * others (`#<seq>`) it keeps nothing but their number in `counts`, so that an
 * executor may live for long. Once settled, such a task is unknown to
 * `outcome`, `outcomes`, `cancel` and `retry`.
 */
export function openMemoryQueue(): TaskQueue {
  return new MemoryQueue();
}

type State = TaskState | 'suspect';

interface Task extends ClaimedTask {
  state: State;
  /** The number of the start that named it last while it had no outcome. */
  start: number;
  /** While it is delayed. */
  delay: Delay | undefined;
  /** Kept only of a task that was given an id. */
  outcome: OutcomeRecord | undefined;
}

interface Delay {
  runAt: number;
  task: Task;
}

const WAITING: readonly State[] = ['queued', 'delayed', 'suspect'];

/** Outcomes that are given at a time. */
const PAGE = 256;

/** So many cancelled tasks may hold their place in the line, beside as many as are queued. */
const CANCELLED_PLACES = 1000;

class MemoryQueue implements TaskQueue {
  readonly traits = MEMORY_TRAITS;
  readonly epoch = 1;
  #lastSeq = 0;
  #lastOrdinal = 0;
  #closed = false;
  /** Tasks that were given an id, for as long as the queue lives. */
  readonly #byId = new Map<string, Task>();
  /** Tasks without an outcome. */
  #live = new SeqMap<Task>();
  #ready = new ReadyTasks<Task>();
  /** An entry counts as long as its task points back at it. */
  #delayed = new Heap<Delay>((a, b) => a.runAt < b.runAt);
  /** An entry counts as long as its task is a suspect. */
  #suspects = new Heap<Task>((a, b) => a.seq < b.seq);
  #cancelledPlaces = 0;
  /** The start that names tasks now: those of earlier ones are held back, and are in none of the lines above. */
  #start = 1;
  #held = 0;
  #heldSuspects = 0;
  #identity: RunIdentity | undefined;
  /** In the order of their ordinals. */
  #outcomes: OutcomeRecord[] = [];
  readonly #counts: Record<State, number> = {
    queued: 0,
    delayed: 0,
    suspect: 0,
    running: 0,
    done: 0,
    failed: 0,
    crashed: 0,
    'timed-out': 0,
    cancelled: 0,
  };

  async clear(): Promise<void> {
    this.#refuseIfClosed();
    this.#byId.clear();
    this.#live = new SeqMap();
    this.#ready = new ReadyTasks();
    this.#delayed = new Heap((a, b) => a.runAt < b.runAt);
    this.#suspects = new Heap((a, b) => a.seq < b.seq);
    this.#cancelledPlaces = 0;
    this.#held = 0;
    this.#heldSuspects = 0;
    this.#identity = undefined;
    this.#outcomes = [];
    for (const state of Object.keys(this.#counts) as State[]) this.#counts[state] = 0;
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
    return this.#outcomes.filter((outcome) => outcome.version !== undefined && outcome.version !== version).length;
  }

  async hold(): Promise<number> {
    this.#refuseIfClosed();
    this.#start += 1;
    const { queued, delayed, suspect, running } = this.#counts;
    this.#held = queued + delayed + suspect;
    this.#heldSuspects = suspect;
    for (const task of running === 0 ? [] : this.#live.values()) {
      if (task.state === 'running') task.start = this.#start;
    }
    this.#ready = new ReadyTasks();
    this.#delayed = new Heap((a, b) => a.runAt < b.runAt);
    this.#suspects = new Heap((a, b) => a.seq < b.seq);
    this.#cancelledPlaces = 0;
    return this.#lastSeq;
  }

  async letGo(): Promise<number> {
    this.#refuseIfClosed();
    const suspects = this.#heldSuspects;
    for (const task of this.#held === 0 ? [] : this.#live.values()) if (this.#isHeld(task)) this.#join(task);
    return suspects;
  }

  async held(limit: number): Promise<HeldTasks> {
    this.#refuseIfClosed();
    const some: HeldTasks['some'] = [];
    for (const task of this.#held === 0 ? [] : this.#live.values()) {
      if (some.length >= limit) break;
      if (this.#isHeld(task)) some.push({ id: idOf(task), input: task.input });
    }
    return { count: this.#held, some };
  }

  async add(tasks: readonly NewTask[]): Promise<AddedTask[]> {
    this.#refuseIfClosed();
    return tasks.map((task) => this.#add(task));
  }

  async claim(limit: number, now: number): Promise<ClaimedTask[]> {
    this.#refuseIfClosed();
    this.#wake(now);
    const claimed: ClaimedTask[] = [];
    while (claimed.length < limit) {
      const task = this.#ready.shift();
      if (task === undefined) break;
      claimed.push(this.#take(task));
    }
    return claimed;
  }

  async claimSuspect(): Promise<ClaimedTask | undefined> {
    this.#refuseIfClosed();
    for (;;) {
      const task = this.#suspects.pop();
      if (task === undefined) return undefined;
      if (task.state === 'suspect') return this.#take(task);
    }
  }

  async settle(settlements: readonly Settlement[]): Promise<number[]> {
    this.#refuseIfClosed();
    const tasks: Task[] = [];
    for (const settlement of settlements) {
      const task = this.#live.get(settlement.seq);
      if (task?.state !== 'running') {
        for (const moved of tasks) this.#move(moved, 'running');
        throw notRunning(settlement.seq, this.epoch);
      }
      this.#move(task, targetOf(settlement));
      tasks.push(task);
    }
    // All of them are ours: from here on nothing fails.
    const ordinals: number[] = [];
    settlements.forEach((settlement, index) => {
      const task = tasks[index]!;
      if (settlement.kind === 'outcome') ordinals.push(this.#record(task, settlement));
      else this.#putBack(task, settlement);
    });
    return ordinals;
  }

  async cancel(id: string): Promise<Cancellation> {
    this.#refuseIfClosed();
    const seq = generatedSeq(id);
    const task = seq === undefined ? this.#byId.get(id) : this.#live.get(seq);
    if (task === undefined || (seq !== undefined && task.id !== undefined)) {
      return { found: undefined };
    }
    const { state, attempts, crashes } = task;
    if (!WAITING.includes(state)) return { found: state as TaskState };
    const held = this.#isHeld(task);
    if (held) this.#held -= 1;
    if (held && state === 'suspect') this.#heldSuspects -= 1;
    task.delay = undefined;
    this.#move(task, 'cancelled');
    const ending: Ending = {
      state: 'cancelled',
      attempts,
      crashes,
      result: undefined,
      error: CANCELLED,
      startedAt: null,
      durationMs: 0,
      thread: null,
      version: undefined,
    };
    const outcome = outcomeRecord(this.#record(task, ending), task, ending);
    if (state === 'queued' && !held) this.#leavePlace();
    return { found: state === 'suspect' ? 'queued' : state, cancelled: { seq: task.seq, outcome } };
  }

  async retry(states: readonly OutcomeState[]): Promise<number> {
    this.#refuseIfClosed();
    const again = this.#outcomes.filter((outcome) => states.includes(outcome.state));
    this.#outcomes = this.#outcomes.filter((outcome) => !states.includes(outcome.state));
    for (const { id } of again) {
      const task = this.#byId.get(id)!;
      this.#move(task, 'queued');
      task.attempts = 0;
      task.crashes = 0;
      task.earlier = undefined;
      task.outcome = undefined;
      this.#live.set(task.seq, task);
      if (this.#isHeld(task)) this.#held += 1;
      else this.#ready.putBack(task);
    }
    return again.length;
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
    return this.#nextDelay()?.runAt;
  }

  async suspects(): Promise<number> {
    this.#refuseIfClosed();
    return this.#counts.suspect - this.#heldSuspects;
  }

  /** Nobody can take memory away. */
  async check(): Promise<void> {
    this.#refuseIfClosed();
  }

  async counts(): Promise<TaskCounts> {
    this.#refuseIfClosed();
    const { suspect, ...counts } = this.#counts;
    return { ...counts, queued: counts.queued + suspect };
  }

  async outcome(id: string, { withInput = false }: WithInput = {}): Promise<OutcomeRecord | undefined> {
    this.#refuseIfClosed();
    const task = this.#byId.get(id);
    return task?.outcome && { ...task.outcome, ...(withInput && { input: task.input }) };
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

  async outcomesAfter(cursor: Cursor, { state, withInput = false }: OutcomeChoice = {}): Promise<OutcomePage> {
    this.#refuseIfClosed();
    const first = firstAfter(this.#outcomes, cursor);
    const page = this.#outcomes.slice(first, first + PAGE);
    const chosen = page.filter((each) =>
      state === 'not-done' ? each.state !== 'done' : state === undefined || state === each.state,
    );
    return {
      outcomes: chosen.map((each) => ({ ...each, ...(withInput && { input: this.#byId.get(each.id)!.input }) })),
      // Behind the last one there may be those that are not kept.
      cursor: page.length === PAGE ? page.at(-1)!.ordinal : Math.max(cursor, this.#lastOrdinal),
    };
  }

  async lastOrdinal(): Promise<number> {
    this.#refuseIfClosed();
    return this.#lastOrdinal;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #add(task: NewTask): AddedTask {
    const { id, handler, input, priority, timeoutMs, retries } = task;
    const known = id === undefined ? undefined : this.#byId.get(id);
    if (known !== undefined) {
      const same = known.handler === handler && sameInput(known.input, input);
      return same ? this.#addAgain(known, task) : { seq: known.seq, id: id!, status: 'conflict' };
    }
    const seq = ++this.#lastSeq;
    const added: Task = {
      seq,
      id,
      handler,
      input,
      priority,
      timeoutMs,
      retries,
      state: 'queued',
      attempts: 0,
      crashes: 0,
      earlier: undefined,
      start: this.#start,
      delay: undefined,
      outcome: undefined,
    };
    this.#counts.queued += 1;
    this.#live.set(seq, added);
    if (id !== undefined) this.#byId.set(id, added);
    this.#ready.append(added);
    return { seq, id: idOf(added), status: 'added' };
  }

  #addAgain(task: Task, { priority, timeoutMs, retries }: NewTask): AddedTask {
    const { seq, state } = task;
    const added: AddedTask = { seq, id: idOf(task), status: 'duplicate' };
    const held = this.#isHeld(task);
    if (state !== 'running' && !WAITING.includes(state)) return added;
    const moved = task.priority !== priority;
    Object.assign(task, { priority, timeoutMs, retries });
    if (held) this.#join(task);
    else if (moved && state === 'queued') {
      this.#ready.putBack(task);
      this.#leavePlace();
    }
    return held && state === 'suspect' ? { ...added, suspect: true } : added;
  }

  #isHeld(task: Task): boolean {
    return task.start < this.#start && WAITING.includes(task.state);
  }

  /** It is held back no longer. */
  #join(task: Task): void {
    task.start = this.#start;
    this.#held -= 1;
    if (task.state === 'queued') this.#ready.putBack(task);
    else if (task.state === 'delayed') this.#delayed.push(task.delay!);
    else {
      this.#heldSuspects -= 1;
      this.#suspects.push(task);
    }
  }

  #take(task: Task): ClaimedTask {
    this.#move(task, 'running');
    const { seq, id, handler, input, priority, timeoutMs, retries, attempts, crashes, earlier } = task;
    return { seq, id, handler, input, priority, timeoutMs, retries, attempts, crashes, earlier };
  }

  #record(task: Task, ending: Ending): number {
    const ordinal = ++this.#lastOrdinal;
    this.#live.take(task.seq);
    if (task.id === undefined) return ordinal;
    task.outcome = outcomeRecord(ordinal, task, ending);
    this.#outcomes.push(task.outcome);
    return ordinal;
  }

  #putBack(task: Task, settlement: Exclude<Settlement, { kind: 'outcome' }>): void {
    switch (settlement.kind) {
      case 'release':
        this.#ready.putBack(task);
        break;
      case 'suspect':
        this.#suspects.push(task);
        break;
      case 'retry':
        task.attempts = settlement.attempts;
        task.crashes = settlement.crashes;
        task.earlier = settlement.earlier;
        task.delay = { runAt: settlement.runAt, task };
        this.#delayed.push(task.delay);
    }
  }

  #wake(now: number): void {
    for (;;) {
      const delay = this.#nextDelay();
      if (delay === undefined || delay.runAt > now) return;
      this.#delayed.pop();
      delay.task.delay = undefined;
      this.#move(delay.task, 'queued');
      this.#ready.putBack(delay.task);
    }
  }

  #nextDelay(): Delay | undefined {
    for (;;) {
      const delay = this.#delayed.peek();
      if (delay === undefined || delay.task.delay === delay) return delay;
      this.#delayed.pop();
    }
  }

  /** Cancelled tasks that nobody ever reaches, at the end of the line, must not pile up. */
  #leavePlace(): void {
    this.#cancelledPlaces += 1;
    if (this.#cancelledPlaces <= CANCELLED_PLACES + this.#counts.queued) return;
    this.#ready.sweep();
    this.#cancelledPlaces = 0;
  }

  #move(task: Task, to: State): void {
    this.#counts[task.state] -= 1;
    this.#counts[to] += 1;
    task.state = to;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw queueClosed();
  }
}

function targetOf(settlement: Settlement): State {
  switch (settlement.kind) {
    case 'outcome':
      return settlement.state;
    case 'retry':
      return 'delayed';
    case 'release':
      return 'queued';
    case 'suspect':
      return 'suspect';
  }
}

function sameInput(a: Encoded, b: Encoded): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
