import type { Claim, OutcomeRecord, Settlement } from '../../dist/runtime/queue/contract.js';
import type { NewTask } from '../../dist/runtime/task/task.js';

type Of<Kind extends Settlement['kind']> = Extract<Settlement, { kind: Kind }>;

/** A task with nothing special about it, but for what is given. */
export function aTask(fields: Partial<NewTask> = {}): NewTask {
  return {
    id: undefined,
    handler: 'handle',
    input: '1',
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
    ...fields,
  };
}

/** `count` tasks, each with its index as its input. */
export function tasks(count: number, fields: Partial<NewTask> = {}): NewTask[] {
  return Array.from({ length: count }, (_, index) => aTask({ input: String(index), ...fields }));
}

/** The settlement of a task that went well, but for what is given. */
export function done(claim: Claim, fields: Partial<Of<'outcome'>> = {}): Of<'outcome'> {
  return {
    kind: 'outcome',
    claim,
    state: 'done',
    attempts: 1,
    crashes: 0,
    result: '"ok"',
    error: undefined,
    startedAt: 1000,
    durationMs: 2.5,
    thread: 1,
    version: undefined,
    ...fields,
  };
}

/** The settlement of a task that failed once and is to be tried again, but for what is given. */
export function retry(claim: Claim, fields: Partial<Of<'retry'>> = {}): Of<'retry'> {
  return { kind: 'retry', claim, attempts: 1, crashes: 0, runAt: 0, earlier: [], ...fields };
}

export async function all<Recorded = OutcomeRecord>(outcomes: AsyncIterable<Recorded>): Promise<Recorded[]> {
  const list: Recorded[] = [];
  for await (const outcome of outcomes) list.push(outcome);
  return list;
}
