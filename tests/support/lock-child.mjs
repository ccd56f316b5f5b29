// A process with one lock, steered by its parent (see lock-process.ts).
// JavaScript, since Node 20 runs no TypeScript.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProcessLock } from '../../dist/system/lock/process-lock.js';

const [path, runId, heirlooms] = process.argv.slice(2);
const lock = new ProcessLock({ path, runId });
const turn = () => new Promise(setImmediate);
let stopped = false;

function startDetached(args, extraStdio = []) {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'ignore', ...extraStdio],
    detached: true,
  });
  child.unref();
  return child.pid;
}

const commands = {
  tryAcquire: () => lock.tryAcquire(),
  acquire: async (options) => void (await lock.acquire(options)),
  release: () => lock.release(),
  isLocked: () => lock.isLocked(),
  holder: () => lock.holder(),
  forceUnlock: () => lock.forceUnlock(),
  describe: (more) => lock.describe(more),
  adopt: (fd) => lock.adopt(fd),
  exit: () => process.exit(0),
  throw: () =>
    void setImmediate(() => {
      throw new Error('nobody catches this');
    }),
  abort: () => process.abort(),
  becomeNobody: () => void (process.getuid() === 0 && process.setuid(65534)),

  /** A child started in the ordinary way, that outlives this process. Gives its pid. */
  spawnOrdinary: () => startDetached(['-e', 'setInterval(() => {}, 1000)']),
  /** This program again, adopting this lock. */
  spawnHeir: () => startDetached([fileURLToPath(import.meta.url), path, runId, 'adopt'], [lock.fd]),

  /** Asks again and again whether the lock is held. */
  ask: async () => {
    while (!stopped) {
      for (let i = 0; i < 50; i++) lock.isLocked();
      await turn();
    }
  },
  /** Enters and leaves the critical section again and again, and writes down both. */
  work: async (evidence) => {
    while (!stopped) {
      await lock.acquire({ waitMs: 20_000 });
      appendFileSync(evidence, `enter ${process.pid}\n`);
      try {
        new ProcessLock({ path, runId }).forceUnlock();
        appendFileSync(evidence, `unlocked-by-force ${process.pid}\n`);
      } catch {
        // As it must be: the lock is held.
      }
      appendFileSync(evidence, `leave ${process.pid}\n`);
      lock.release();
      await turn();
    }
  },
  stop: () => void (stopped = true),
};

if (heirlooms === 'adopt') {
  lock.adopt(3);
  process.on('SIGTERM', () => {
    lock.release();
    process.exit(0);
  });
  // Last: who waits for it may send a signal at once.
  lock.describe({ controlSocket: `heir ${process.pid}` });
  setInterval(() => {}, 1000);
} else {
  const answer = async ({ id, command, args }) => {
    try {
      process.send({ id, value: await commands[command](...args) });
    } catch (error) {
      const { name, code, message, hint } = error;
      process.send({ id, error: { name, code, message, hint, cause: error.cause?.code } });
    }
  };
  process.on('message', (request) => void answer(request));
  process.send({ ready: true });
}
