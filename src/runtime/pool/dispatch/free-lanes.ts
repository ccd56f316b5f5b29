import type { PoolThread } from '../thread/pool-thread.js';

/** A lane that can take a batch. */
export interface FreeLane {
  thread: PoolThread;
  lane: number;
}

/** Of the thread with the fewest lanes in use. */
export function leastUsedLane(threads: Iterable<PoolThread>): FreeLane | undefined {
  let best: FreeLane | undefined;
  let bestUsed = Infinity;
  for (const thread of threads) {
    const lane = thread.freeLane();
    if (lane === undefined) continue;
    let used = 0;
    for (const batch of thread.batches) if (batch !== undefined) used++;
    if (used < bestUsed) {
      best = { thread, lane };
      bestUsed = used;
      if (used === 0) break;
    }
  }
  return best;
}

/** Of the thread that was sent the least: what other tasks left behind there can do the least harm. */
export function freshestLane(threads: Iterable<PoolThread>): FreeLane | undefined {
  let best: FreeLane | undefined;
  for (const thread of threads) {
    const lane = thread.freeLane();
    if (lane !== undefined && !(best && best.thread.batchesTaken <= thread.batchesTaken)) best = { thread, lane };
  }
  return best;
}

export function countFreeLanes(threads: Iterable<PoolThread>): number {
  let free = 0;
  for (const thread of threads) {
    if (thread.freeLane() === undefined) continue;
    for (const batch of thread.batches) if (batch === undefined) free++;
  }
  return free;
}
