import { ProcessLock } from '../../system/lock/process-lock.js';
import type { Contention, LockName } from '../contender.js';
import type { PostCondition } from '../post-conditions.js';

export interface LockEvidence {
  lock: LockName;
  /** Lets another process try to take the lock. */
  contend(): Promise<Contention>;
}

export const lockIsHeld: PostCondition<LockEvidence> = {
  name: 'lock held',
  expected: 'held by this process, and refused to another one',
  async check({ lock, contend }) {
    const holder = new ProcessLock(lock);
    const held = holder.isLocked();
    const pid = holder.holder()?.pid;
    const { acquired, holderPid } = await contend();
    const ours = pid === process.pid && holderPid === process.pid;
    const who = ours ? `this process (pid ${process.pid})` : `pid ${pid ?? 'unknown'}`;
    const other = acquired ? 'given to another process' : 'refused to another process';
    return { ok: held && ours && !acquired, actual: `${held ? `held by ${who}` : 'free'}, and ${other}` };
  },
};

export const lockIsFree: PostCondition<Pick<LockEvidence, 'lock'>> = {
  name: 'lock free',
  expected: 'free after the stop',
  check({ lock }) {
    const left = new ProcessLock(lock);
    if (!left.isLocked()) return { ok: true, actual: 'free' };
    return { ok: false, actual: `still held by pid ${left.holder()?.pid ?? 'unknown'}` };
  },
};
