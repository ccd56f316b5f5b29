/** What is recorded as the error of a task that the queue itself ended. */
import type { TaskErrorRecord } from '../task.js';

export const CANCELLED: TaskErrorRecord = {
  name: 'HoldfastError',
  message: 'the task was cancelled before it ran',
  code: 'ERR_TASK_CANCELLED',
};

export function crashedWithProcess(crashes: number): TaskErrorRecord {
  return {
    name: 'HoldfastError',
    message: `the thread or the process died while the task ran alone (crashes: ${crashes})`,
    code: 'ERR_TASK_CRASHED',
  };
}
