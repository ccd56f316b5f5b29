/** The process that tries to take a lock which another one holds. It reads one line with the lock, and tells what came of it. */
import { createInterface } from 'node:readline';
import { ProcessLock } from '../system/lock/process-lock.js';
import type { Contention, LockName } from './contender.js';

// Without a parent that asks, standard input ends, and so does this process.
for await (const line of createInterface({ input: process.stdin })) {
  const lock = new ProcessLock(JSON.parse(line) as LockName);
  const acquired = lock.tryAcquire();
  const contention: Contention = { acquired, holderPid: lock.holder()?.pid ?? null };
  lock.release();
  process.stdout.write(`${JSON.stringify(contention)}\n`);
  break;
}
