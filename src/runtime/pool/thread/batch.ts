import type { ClaimedTask } from '../../queue/contract.js';
import type { Encoded } from '../../task/task.js';
import type { BatchRequest } from '../../thread/protocol.js';

/** The tasks that went to a lane in one message, and how far its thread has reported of them. */
export interface Batch {
  readonly number: number;
  readonly lane: number;
  readonly tasks: readonly ClaimedTask[];
  /** Tasks reported so far; reports come in order. */
  reported: number;
  /** Tasks that still belong to it: those taken away again are cut off at the end. */
  size: number;
}

/** What a thread is sent of a batch. */
export function batchRequest({ lane, number, tasks }: Batch, fencingToken: number): BatchRequest {
  return {
    type: 'batch',
    lane,
    batch: number,
    fencingToken,
    ids: tasks.map((task) => task.id ?? task.seq),
    handlers: oneOrAll(tasks.map((task) => task.handler)),
    inputs: packed(tasks.map((task) => task.input)),
    attempts: oneOrAll(tasks.map((task) => task.attempts + 1)),
  };
}

/** What is alike is sent once: a message of 500 tasks is a third faster to write so. */
function oneOrAll<T>(items: T[]): T | T[] {
  const [first] = items;
  return items.every((item) => item === first) ? first! : items;
}

function packed(inputs: Encoded[]): string | Encoded[] {
  return inputs.every((input) => typeof input === 'string') ? `[${inputs.join(',')}]` : inputs;
}
