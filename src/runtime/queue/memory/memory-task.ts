import type { Encoded, NewTask, TaskState } from '../../task/task.js';
import type { ClaimedTask, OutcomeRecord, Settlement } from '../contract.js';

export type State = TaskState | 'suspect';

export interface MemoryTask extends ClaimedTask {
  state: State;
  /** The number of the start that named it last while it had no outcome. */
  start: number;
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
  return {
    seq,
    token: 0,
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
    start,
    delay: undefined,
    outcome: undefined,
  };
}

/** What is given away of it: its own claim. */
export function claimed(task: MemoryTask): ClaimedTask {
  const token = ++task.token;
  const { seq, id, handler, input, priority, timeoutMs, retries, attempts, crashes, earlier } = task;
  return { seq, token, id, handler, input, priority, timeoutMs, retries, attempts, crashes, earlier };
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

/** Notes what it is to be retried with. */
export function delay(task: MemoryTask, { attempts, crashes, earlier, runAt }: Settlement & { kind: 'retry' }): void {
  Object.assign(task, { attempts, crashes, earlier, delay: { runAt, task } });
}

/** Has it be as if it had never run. */
export function renew(task: MemoryTask): void {
  Object.assign(task, { attempts: 0, crashes: 0, earlier: undefined, outcome: undefined });
}

export function isSame(task: MemoryTask, { handler, input }: NewTask): boolean {
  return task.handler === handler && sameInput(task.input, input);
}

function sameInput(a: Encoded, b: Encoded): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
