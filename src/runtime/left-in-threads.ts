import type { LeftPending } from '../debug/pending/pending-functions.js';
import type { Pool } from './pool/pool.js';

/** Async functions in one thread of an executor that nobody waits for, and streams to files that are open there. */
export interface LeftInThread extends Omit<LeftPending, 'threadId' | 'label'> {
  /** Number of the thread, from 1. */
  thread: number;
}

/** Looks at all threads of a pool, two at a time; what that takes is loaded here. */
export async function leftInThreads({ threads }: Pool): Promise<LeftInThread[]> {
  const numbers = new Map(threads.map(({ threadId, number }) => [threadId, number]));
  numbers.delete(undefined);
  const { leftPending } = await import('../debug/pending/pending-functions.js');
  const left = await leftPending({ threads: [...numbers.keys()] as number[], openStreams: true });
  return left
    .map(({ threadId, label: _label, ...found }) => ({ thread: numbers.get(threadId)!, ...found }))
    .sort((one, other) => one.thread - other.thread);
}
