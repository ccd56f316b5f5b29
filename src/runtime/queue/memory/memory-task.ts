import type { TaskState } from '../../task/task.js';
import type { ClaimedTask, OutcomeRecord } from '../contract.js';

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
