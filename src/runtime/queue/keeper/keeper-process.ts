/**
 * The process that keeps the queue of a run for one executor, where there is no
 * supervisor to do so. It loads the queue and nothing else, and ends with its
 * executor: however that ends, it has written down first what it was told.
 */
import { Socket } from 'node:net';
import { exit } from 'node:process';
import { ProcessLock } from '../../../system/lock/process-lock.js';
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
  // What it left in the lock file tells of its end, unless it ended by its own will.
  await server.end().catch(() => {});
  if (lock.holder()?.stopping === true) lock.release();
}
exit(0);
