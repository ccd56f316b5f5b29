import type { AddedTask, HeldTasks, OutcomeFilter, QueueReader, Submitting } from './queue/contract.js';
import type { Submissions } from './submissions.js';
import type { Encoded, NewTask, Outcome } from './task/task.js';

/** Tasks and outcomes as the queue holds them, for whoever reads and prints JSON text anyway. */
export interface EncodedTasks {
  /** Checks nothing. Durable when it resolves. */
  add(tasks: readonly NewTask[]): Promise<AddedTask[]>;
  outcomes(filter?: OutcomeFilter): ReturnType<QueueReader['outcomes']>;
  /** For tasks that name none; `undefined`: each names its own. */
  defaultHandler(): Promise<string | undefined>;
  /** Of a task that has its outcome. */
  inputOf(id: string): Promise<Encoded | undefined>;
  /** Whether an outcome is still what is recorded of its task: it may have been tried again. */
  isStill({ id, state }: Pick<Outcome, 'id' | 'state'>): Promise<boolean>;
  /** Tasks of an earlier start that were not named in this one, and wait. */
  held(limit: number): Promise<HeldTasks>;
  /** Runs those, too. */
  letGo(): Promise<void>;
}

export function encodedTasks(queue: QueueReader & Submitting, submissions: Submissions): EncodedTasks {
  return {
    add: (tasks) => submissions.add(tasks),
    outcomes: (filter) => queue.outcomes(filter),
    defaultHandler: async () => (await queue.identity())?.handler,
    inputOf: async (id) => (await queue.outcome(id, { withInput: true }))?.input,
    isStill: async ({ id, state }) => (await queue.outcome(id))?.state === state,
    held: (limit) => queue.held(limit),
    letGo: () => queue.letGo(),
  };
}
