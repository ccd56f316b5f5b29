/** What is recorded as the error of a task that the queue itself ended. */
import type { TaskErrorRecord } from '../task.js';

export const CANCELLED: TaskErrorRecord = {
  name: 'HoldfastError',
  message: 'the task was cancelled before it ran',
  code: 'ERR_TASK_CANCELLED',
};

export function crashedWithProcess(crashes: number): TaskErrorRecord {
  const times = crashes === 1 ? 'once' : `${crashes} times`;
  return {
    name: 'HoldfastError',
    message: `the thread or the process died ${times} while the task ran alone`,
    code: 'ERR_TASK_CRASHED',
  };
}
