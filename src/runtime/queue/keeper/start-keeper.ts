import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ProcessLock } from '../../../system/lock/process-lock.js';
import { survivorEnvironment } from '../../processes/marker.js';
import type { KeeperLine } from './client.js';
import { LINE_FD, type KeeperJob } from './keeper-job.js';
import { keeperNotStarted } from './keeper-died.js';

const KEEPER_PROCESS = fileURLToPath(new URL('./keeper-process.js', import.meta.url));

/** From the end of the line to that of the process, in ms; then it is said that it ended, and not how. */
const EXIT_MS = 1000;

/**
 * Starts a process that keeps the queue of a run, for this executor. It ends with
 * it, however that ends; the lock is held until the last word is written.
 *
 * @throws HoldfastError `ERR_KEEPER_DIED` where it cannot be started
 */
export async function startKeeper(runDir: string, lock: ProcessLock): Promise<KeeperLine> {
  const job: KeeperJob = { runDir, runId: lock.runId, lockPath: lock.path };
  const child = spawn(process.execPath, [KEEPER_PROCESS, JSON.stringify(job)], {
    // A session of its own: Ctrl-C is for its executor, which may have much to write after that.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', lock.fd],
    env: survivorEnvironment(),
    cwd: '/',
  });
  if (child.pid === undefined) throw keeperNotStarted((await once(child, 'error'))[0] as Error);
  child.unref();
  let how = 'has ended';
  const exited = once(child, 'exit').then(([code, signal]) => {
    how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  });
  return {
    socket: child.stdio[LINE_FD] as Socket,
    ended: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, EXIT_MS)));
      await Promise.race([exited, late]);
      clearTimeout(timer);
      return how;
    },
  };
}
