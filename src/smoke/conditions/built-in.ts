/**
 * The post-conditions of every smoke test. Each one looks for itself: at the
 * kernel's lock, at the disk, at what this process has open.
 */
import type { PostCondition } from '../post-conditions.js';
import { eventsArriveOnce, queueKeepsOutcomes, type EventEvidence } from './events.js';
import { healthIsFresh, threadsBeat, type BeatEvidence, type HealthEvidence } from './health.js';
import { judged } from './judged.js';
import { queueIsApart, type QueueEvidence } from './queue.js';
import { lockIsFree, lockIsHeld, type LockEvidence } from './lock.js';

/** All that they look at. */
export interface Evidence extends LockEvidence, BeatEvidence, EventEvidence, HealthEvidence, QueueEvidence {
  /** What is open in this process, and was not before the boot; a description each. */
  left(): Promise<readonly string[]>;
}

export const nothingIsLeft: PostCondition<Pick<Evidence, 'left'>> = {
  name: 'nothing left',
  expected: 'no thread, handle, timer or child process after the stop',
  async check({ left }) {
    return judged(await left(), 'none');
  },
};

/** Checked while the executor runs, in this order. */
export const WHILE_RUNNING: readonly PostCondition<Evidence>[] = [
  lockIsHeld,
  threadsBeat,
  eventsArriveOnce,
  healthIsFresh,
  queueIsApart,
];

/** Checked after it has stopped. */
export const AFTER_STOP: readonly PostCondition<Evidence>[] = [queueKeepsOutcomes, lockIsFree, nothingIsLeft];
