/** What a thread is to its pool, in one word, and what may follow. */
export type ThreadState =
  /** It loads its module. */
  | 'loading'
  /** It has, and takes no batch before its pool says so. */
  | 'loaded'
  /** It takes batches. */
  | 'accepting'
  /** It ends what it has, and takes no more. */
  | 'retired'
  /** The module's `teardown` was called, or is about to be: it takes nothing else any more. */
  | 'tearing-down'
  /** It is ended by force, or has ended by itself: what it sent last still counts. */
  | 'dying'
  /** It was given up: its tasks are others' by now, and nothing counts that it still says. */
  | 'lost'
  /** It was ended without work. */
  | 'ended';

const NEXT: Record<ThreadState, readonly ThreadState[]> = {
  loading: ['loaded', 'ended'],
  loaded: ['accepting', 'retired', 'tearing-down', 'dying', 'ended'],
  accepting: ['retired', 'tearing-down', 'dying', 'ended'],
  retired: ['tearing-down', 'dying', 'ended'],
  'tearing-down': ['dying', 'ended'],
  dying: ['lost'],
  lost: [],
  ended: [],
};

export function mayFollow(state: ThreadState, next: ThreadState): boolean {
  return NEXT[state].includes(next);
}

/** Whether no other state but those of the end can follow: the thread is gone, or on its way. */
export function isOver(state: ThreadState): boolean {
  return state === 'dying' || state === 'lost' || state === 'ended';
}
