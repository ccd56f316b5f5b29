import type { TaskReference } from './inspection.js';

/**
 * A thread of holdfast has a function by this name on its `globalThis`, which
 * gives the tasks that are running there. In another thread there is none.
 */
export const RUNNING_TASKS = Symbol.for('holdfast.tasks');

export interface RunningTask {
  /** What the functions of the task hold, by which they are recognised in the heap. */
  context: object;
  task: TaskReference;
  /** The function that was called for it. */
  handler: object;
}
