import type { AddedTask, HeldTasks, OutcomeFilter, TaskQueue } from './queue/contract.js';
import type { Submissions } from './submissions.js';
import type { Encoded, NewTask } from './task/task.js';

/** Tasks and outcomes as the queue holds them, for whoever reads and prints JSON text anyway. */
export interface EncodedTasks {
  /** Checks nothing. Durable when it resolves. */
  add(tasks: readonly NewTask[]): Promise<AddedTask[]>;
  outcomes(filter?: OutcomeFilter): ReturnType<TaskQueue['outcomes']>;
  /** Of a task that has its outcome. */
  inputOf(id: string): Promise<Encoded | undefined>;
  /** Tasks of an earlier start that were not named in this one, and wait. */
  held(limit: number): Promise<HeldTasks>;
  /** Runs those, too. */
  letGo(): Promise<void>;
}

export function encodedTasks(queue: TaskQueue, submissions: Submissions): EncodedTasks {
  return {
    add: (tasks) => submissions.add(tasks),
    outcomes: (filter) => queue.outcomes(filter),
    inputOf: async (id) => (await queue.outcome(id, { withInput: true }))?.input,
    held: (limit) => queue.held(limit),
    letGo: () => queue.letGo(),
  };
}
