/**
 * The process that keeps the queue of a run for one executor, where there is no
 * supervisor to do so. It loads the queue and nothing else, and ends with its
 * executor: however that ends, it has written down first what it was told.
 */
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { exit } from 'node:process';
import { readHolder } from '../../../system/lock/holder.js';
import { ProcessLock } from '../../../system/lock/process-lock.js';
import type { TaskQueue } from '../contract.js';
import { keepStore } from '../open-queue.js';
import { LINE_FD, LOCK_FD, type KeeperJob } from './start-keeper.js';

// The executor says when it is over: what is sent to all processes of a service, or of a terminal, is for it to hear.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
const { runDir, runId, lockPath } = JSON.parse(process.argv[2]!) as KeeperJob;
const lock = new ProcessLock({ path: lockPath, runId });
lock.adopt(LOCK_FD);
const server = await keepStore(runDir, lock, () => lock.release());
const hasClosed = await server.serve(new Socket({ fd: LINE_FD }));
if (!hasClosed) {
  // It says so when it ends by its own will; else what it left in the lock file tells of its end.
  const isOnPurpose = readHolder(LOCK_FD)?.stopping === true;
  // With the folder removed by whoever has ended as well, nobody asks for a copy of what was in it.
  const isWanted = async (queue: TaskQueue) => existsSync(runDir) || !(isOnPurpose || (await isEmpty(queue)));
  await server.end(async (queue) => (await isWanted(queue)) && queue.close()).catch(() => {});
  if (isOnPurpose) lock.release();
}
exit(0);

async function isEmpty(queue: TaskQueue): Promise<boolean> {
  return Object.values(await queue.counts()).every((count) => count === 0);
}
