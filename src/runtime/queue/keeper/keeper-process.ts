/**
 * The process that keeps the queue of a run for one executor, where there is no
 * supervisor to do so. It loads the queue and nothing else, and ends with its
 * executor: however that ends, it has written down first what it was told.
 *
 * By the descriptor that it was given it shares the lock of the run. To hold it,
 * nothing of the kernel's locks has to be loaded.
 */
import { closeSync, existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { exit } from 'node:process';
import type { TaskQueue } from '../contract.js';
import { keepStore } from '../keep-store.js';
import { LINE_FD, LOCK_FD, type KeeperJob } from './keeper-job.js';

// The executor says when it is over: what is sent to all processes of a service, or of a terminal, is for it to hear.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
const { runDir, runId, lockPath } = JSON.parse(process.argv[2]!) as KeeperJob;

const server = await keepStore(
  runDir,
  async () => {
    const { lostAtStart } = await import('../../../system/lock/lost-at-start.js');
    const lock = await sharedLock();
    if (!lock.stillHeld()) throw lostAtStart(lock);
  },
  () => closeSync(LOCK_FD),
);
const hasClosed = await server.serve(new Socket({ fd: LINE_FD }));
if (!hasClosed) {
  const { readHolder } = await import('../../../system/lock/holder.js');
  // It says so when it ends by its own will; else what it left in the lock file tells of its end.
  const isOnPurpose = readHolder(LOCK_FD)?.stopping === true;
  // With the folder removed by whoever has ended as well, nobody asks for a copy of what was in it.
  const isWanted = async (queue: TaskQueue) => existsSync(runDir) || !(isOnPurpose || (await isEmpty(queue)));
  await server.end(async (queue) => (await isWanted(queue)) && queue.close()).catch(() => {});
  if (isOnPurpose) (await sharedLock()).release();
}
exit(0);

async function sharedLock() {
  const { ProcessLock } = await import('../../../system/lock/process-lock.js');
  const lock = new ProcessLock({ path: lockPath, runId });
  lock.adopt(LOCK_FD);
  return lock;
}

async function isEmpty(queue: TaskQueue): Promise<boolean> {
  return Object.values(await queue.counts()).every((count) => count === 0);
}
