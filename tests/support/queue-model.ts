/**
 * A queue as simple as can be: a list that is searched from end to end. What
 * the stores do is held against it.
 */
import { expect } from 'vitest';
import type { ClaimedTask, PreviousDeath, Recovery, Settled, Settlement } from '../../dist/runtime/queue/contract.js';
import type { EarlierAttempt, NewTask, OutcomeState, TaskCounts, TaskState } from '../../dist/runtime/task/task.js';

interface ModelTask {
  seq: number;
  spec: NewTask;
  state: TaskState | 'suspect';
  alone: boolean;
  attempts: number;
  crashes: number;
  doubts: number;
  runAt: number;
  ordinal: number;
  earlier: EarlierAttempt[] | undefined;
  version: string | undefined;
  /** The start in which it was named while it had no outcome. */
  start: number;
  /** How often it was claimed. */
  claims: number;
  /** Whether it is more than one that waits in line: then the file knows what it does. */
  marked: boolean;
}

/** A claim as the model knows it: which one of a task. */
export interface ModelClaim {
  seq: number;
  nth: number;
}

export interface ModelOutcome {
  id: string;
  ordinal: number;
  state: OutcomeState;
  attempts: number;
  crashes: number;
  version?: string;
  earlierAttempts?: EarlierAttempt[];
}

const WAITING = ['queued', 'delayed', 'suspect'];

export class QueueModel {
  readonly tasks: ModelTask[] = [];
  #lastOrdinal = 0;
  #start = 1;
  /** Of the last task that the present start holds back unless it is named. */
  #heldUpTo = 0;
  readonly #keepsUnnamed: boolean;

  constructor(keepsUnnamed: boolean) {
    this.#keepsUnnamed = keepsUnnamed;
  }

  add(specs: readonly NewTask[]): { seq: number; id: string; status: string }[] {
    return specs.map((spec) => {
      const known = this.tasks.find((task) => spec.id !== undefined && task.spec.id === spec.id);
      if (known !== undefined) {
        const same = known.spec.handler === spec.handler && known.spec.input === spec.input;
        if (!same) return { seq: known.seq, id: spec.id!, status: 'conflict' };
        if (known.ordinal === 0) {
          const marked = known.marked || spec.priority !== 0;
          Object.assign(known, { spec, start: this.#start, marked });
        }
        return { seq: known.seq, id: spec.id!, status: 'duplicate' };
      }
      const seq = this.tasks.length + 1;
      const fresh = { alone: false, attempts: 0, crashes: 0, doubts: 0, runAt: 0, ordinal: 0 };
      const blank = {
        earlier: undefined,
        version: undefined,
        start: this.#start,
        claims: 0,
        marked: spec.priority !== 0,
      };
      this.tasks.push({ seq, spec, state: 'queued', ...fresh, ...blank });
      return { seq, id: idOf({ seq, spec }), status: 'added' };
    });
  }

  claim(limit: number, now: number): ClaimedTask[] {
    for (const task of this.#given()) if (task.state === 'delayed' && task.runAt <= now) task.state = 'queued';
    const ready = this.#given().filter((task) => task.state === 'queued');
    ready.sort((a, b) => b.spec.priority - a.spec.priority || a.seq - b.seq);
    return ready.slice(0, limit).map((task) => start(task, false));
  }

  claimSuspect(): ClaimedTask | undefined {
    const oldest = this.#given().find((task) => task.state === 'suspect');
    return oldest && start(oldest, true);
  }

  /** @param claims of the settlements, in step with them */
  settle(settlements: readonly Settlement[], claims: readonly ModelClaim[]): Settled {
    const settled: Settled = { ordinals: [], refused: [] };
    settlements.forEach((settlement, index) => {
      const { seq, nth } = claims[index]!;
      const task = this.tasks[seq - 1];
      if (task?.state !== 'running' || task.claims !== nth) settled.refused.push(settlement);
      else settled.ordinals.push(...this.#settle(task, settlement));
    });
    return settled;
  }

  #settle(task: ModelTask, settlement: Settlement): number[] {
    switch (settlement.kind) {
      case 'outcome':
        Object.assign(task, {
          attempts: settlement.attempts,
          crashes: settlement.crashes,
          version: settlement.version,
        });
        return [this.#end(task, settlement.state)];
      case 'retry': {
        const { attempts, crashes, runAt, earlier } = settlement;
        Object.assign(task, { state: 'delayed', attempts, crashes, runAt, earlier, marked: true });
        return [];
      }
      default:
        task.state = settlement.kind === 'release' ? 'queued' : 'suspect';
        task.marked ||= settlement.kind === 'suspect';
        return [];
    }
  }

  cancel(id: string): TaskState | undefined {
    const task = this.tasks.find((each) => idOf(each) === id && this.#remembers(each));
    if (task === undefined) return undefined;
    const found = task.state === 'suspect' ? 'queued' : task.state;
    if (WAITING.includes(task.state)) this.#end(task, 'cancelled');
    return found;
  }

  retry(states: readonly OutcomeState[]): number {
    const again = this.tasks.filter((task) => this.#remembers(task) && states.includes(task.state as OutcomeState));
    const anew = { state: 'queued', attempts: 0, crashes: 0, doubts: 0, ordinal: 0, marked: true };
    for (const task of again) Object.assign(task, { ...anew, earlier: undefined, version: undefined });
    return again.length;
  }

  retryTask(id: string): { found: TaskState | undefined; retried: boolean } {
    const task = this.tasks.find((each) => idOf(each) === id && this.#remembers(each));
    if (task === undefined) return { found: undefined, retried: false };
    const found = task.state === 'suspect' ? 'queued' : task.state;
    if (!['failed', 'crashed', 'timed-out', 'cancelled'].includes(found)) return { found, retried: false };
    const anew = { state: 'queued', attempts: 0, crashes: 0, doubts: 0, ordinal: 0, start: this.#start, marked: true };
    Object.assign(task, { ...anew, earlier: undefined, version: undefined });
    return { found, retried: true };
  }

  hold(): number {
    if (this.tasks.length > 0) this.#heldUpTo = this.tasks.length;
    this.#start += 1;
    for (const task of this.tasks) if (task.state === 'running') task.start = this.#start;
    return this.tasks.length;
  }

  /** @param how `noted`: what ran is known; `reopened`: what of the line was named is not */
  ended({ noted, reopened }: { noted: boolean; reopened: boolean }): void {
    for (const task of this.tasks.filter(({ ordinal }) => ordinal === 0)) {
      if (noted) task.marked ||= task.state === 'running';
      if (task.marked) continue;
      task.state = 'queued';
      if (reopened && task.seq <= this.#heldUpTo) task.start = this.#start - 1;
    }
  }

  letGo(): void {
    if (this.held().length > 0) this.#heldUpTo = 0;
    for (const task of this.tasks) if (this.#isHeld(task)) task.start = this.#start;
  }

  held(): string[] {
    return this.tasks.filter((task) => this.#isHeld(task)).map(idOf);
  }

  outcomesOfOtherVersions(version: string): number {
    const ended = this.tasks.filter((task) => task.ordinal > 0 && this.#remembers(task));
    return ended.filter((task) => task.version !== undefined && task.version !== version).length;
  }

  recover(previous: PreviousDeath, maxCrashes: number): Omit<Recovery, 'crashed'> & { crashed: ModelOutcome[] } {
    const interrupted = this.tasks.filter((task) => task.state === 'running');
    const crashed: ModelOutcome[] = [];
    for (const task of interrupted) {
      const alone = task.alone || interrupted.length === 1;
      if (alone && previous !== 'unseen') {
        task.crashes += 1;
        task.state = 'suspect';
        if (task.crashes >= maxCrashes) {
          this.#end(task, 'crashed');
          crashed.push(outcomeOf(task));
        } else {
          const attempt = {
            attempt: task.attempts + 1,
            state: 'crashed',
            startedAt: null,
            durationMs: 0,
            thread: null,
          };
          task.earlier = [
            ...(task.earlier ?? []).slice(-4),
            { ...attempt, error: expect.anything() } as EarlierAttempt,
          ];
        }
      } else if (task.alone || previous === 'crashed' || task.doubts === 1) {
        task.state = 'suspect';
      } else {
        task.state = 'queued';
        task.doubts = 1;
      }
    }
    const suspects = interrupted.filter((task) => task.state === 'suspect').length;
    return { interrupted: interrupted.length, suspects, crashed };
  }

  nextDue(): number | undefined {
    const due = this.#given()
      .filter((task) => task.state === 'delayed')
      .map((task) => task.runAt);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Those that a claim would find. */
  ready(): number {
    return this.#given().filter((task) => task.state === 'queued').length;
  }

  suspects(): number {
    return this.#given().filter((task) => task.state === 'suspect').length;
  }

  counts(): TaskCounts {
    const count = (...states: string[]): number => this.tasks.filter((task) => states.includes(task.state)).length;
    return {
      queued: count('queued', 'suspect'),
      delayed: count('delayed'),
      running: count('running'),
      done: count('done'),
      failed: count('failed'),
      crashed: count('crashed'),
      'timed-out': count('timed-out'),
      cancelled: count('cancelled'),
    };
  }

  outcomes(): ModelOutcome[] {
    const ended = this.tasks.filter((task) => task.ordinal > 0 && this.#remembers(task));
    return ended.sort((a, b) => a.ordinal - b.ordinal).map(outcomeOf);
  }

  #end(task: ModelTask, state: OutcomeState): number {
    task.state = state;
    task.ordinal = ++this.#lastOrdinal;
    return task.ordinal;
  }

  #isHeld(task: ModelTask): boolean {
    return WAITING.includes(task.state) && task.start < this.#start;
  }

  /** All but those that are held back. */
  #given(): ModelTask[] {
    return this.tasks.filter((task) => !this.#isHeld(task));
  }

  #remembers(task: ModelTask): boolean {
    return this.#keepsUnnamed || task.ordinal === 0 || task.spec.id !== undefined;
  }
}

function idOf({ seq, spec }: Pick<ModelTask, 'seq' | 'spec'>): string {
  return spec.id ?? `#${seq}`;
}

function start(task: ModelTask, alone: boolean): ClaimedTask {
  task.state = 'running';
  task.alone = alone;
  task.claims += 1;
  const { seq, attempts, crashes, earlier } = task;
  // The number is the store's own affair.
  return { ...task.spec, seq, token: expect.any(Number) as number, attempts, crashes, earlier };
}

function outcomeOf(task: ModelTask): ModelOutcome {
  const { ordinal, attempts, crashes, version, earlier } = task;
  return {
    id: idOf(task),
    ordinal,
    state: task.state as OutcomeState,
    attempts,
    crashes,
    ...(version !== undefined && { version }),
    ...(earlier !== undefined && { earlierAttempts: earlier }),
  };
}
