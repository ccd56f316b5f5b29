import type { AwaitBranch, OpenStream } from '../debug/inspection.js';
import type { Pool } from './pool/pool.js';

/** Async functions in one thread of an executor that nobody waits for, and streams to files that are open there. */
export interface LeftInThread {
  /** Number of the thread, from 1. */
  thread: number;
  /** The functions, and what they wait for. */
  awaits: AwaitBranch[];
  /** Those with most to write first. */
  openStreams: OpenStream[];
  /** Why it cannot be known for this thread, as a sentence; else `undefined`. */
  unknown: string | undefined;
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
