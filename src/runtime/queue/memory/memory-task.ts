import type { Encoded, NewTask, TaskState } from '../../task/task.js';
import type { ClaimedTask, OutcomeRecord, Settlement } from '../contract.js';

export type State = TaskState | 'suspect';

export interface MemoryTask {
  /** What `claim` gives away of it. Once given, it is never changed, only replaced: whoever has it may still read it. */
  claim: ClaimedTask;
  state: State;
  /** The number of the start that named it last while it had no outcome. */
  start: number;
  /** The one that arrived after it, while it stands in the line of arrivals. */
  next: MemoryTask | undefined;
  /** While it is delayed. */
  delay: Delay | undefined;
  /** Kept only of a task that was given an id. */
  outcome: OutcomeRecord | undefined;
}

export interface Delay {
  runAt: number;
  task: MemoryTask;
}

export function waits(state: State): state is 'queued' | 'delayed' | 'suspect' {
  return state === 'queued' || state === 'delayed' || state === 'suspect';
}

export function newMemoryTask(seq: number, task: NewTask, start: number): MemoryTask {
  const { id, handler, input, priority, timeoutMs, retries } = task;
  const claim: ClaimedTask = {
    seq,
    token: 1,
    id,
    handler,
    input,
    priority,
    timeoutMs,
    retries,
    attempts: 0,
    crashes: 0,
    earlier: undefined,
  };
  return { claim, state: 'queued', start, next: undefined, delay: undefined, outcome: undefined };
}

/** The state to which a settlement brings a task. */
export function stateAfter(settlement: Settlement): State {
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

/** Ends the claim of a task that is to wait again: with the next one, it is given as it is after that settlement. */
export function giveBack(task: MemoryTask, settlement: Exclude<Settlement, { kind: 'outcome' }>): void {
  if (settlement.kind === 'retry') {
    const { attempts, crashes, earlier, runAt } = settlement;
    replaceClaim(task, { attempts, crashes, earlier });
    task.delay = { runAt, task };
  } else replaceClaim(task, {});
}

/** Has it be as if it had never run. */
export function renew(task: MemoryTask): void {
  replaceClaim(task, { attempts: 0, crashes: 0, earlier: undefined });
  task.outcome = undefined;
}

/** From its next attempt on, these hold. A claim that was given goes on as it is. */
export function changeOptions(task: MemoryTask, { priority, timeoutMs, retries }: NewTask): void {
  task.claim = { ...task.claim, priority, timeoutMs, retries };
}

function replaceClaim(task: MemoryTask, changes: Partial<ClaimedTask>): void {
  task.claim = { ...task.claim, ...changes, token: task.claim.token + 1 };
}

export function isSame({ claim }: MemoryTask, { handler, input }: NewTask): boolean {
  return claim.handler === handler && sameInput(claim.input, input);
}

function sameInput(a: Encoded, b: Encoded): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
