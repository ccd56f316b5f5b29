// @ts-check
/** Rows 5 and 6: the process lock, beside proper-lockfile. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { figureOf, race } from './race.mjs';
import { atLeast, below, rowOfRace } from './row.mjs';
import { stateFolder } from './state-folder.mjs';
import { measured } from './statistics.mjs';

/** @typedef {import('./row.mjs').Group} Group */
/** @typedef {keyof typeof import('./contenders/locks.mjs').locks} LockName */

const PEER = 'proper-lockfile';
const LEAN_PEER = 'without realpath';
const TAKEOVER_PROCESS = fileURLToPath(new URL('./processes/takeover.mjs', import.meta.url));

/** @type {Group} */
export const acquireAndRelease = {
  ids: [5],
  async measure() {
    const rounds = 5;
    const contender = (/** @type {LockName} */ lock) => ({
      name: lock,
      measure: () => figureOf('./processes/lock.mjs', { lock }),
    });
    const figures = await race([contender('holdfast'), contender(PEER), contender(LEAN_PEER)], rounds);
    return [
      rowOfRace({
        figures,
        id: 5,
        what: 'acquire and release of the process lock',
        unit: 'pairs/s',
        ours: 'holdfast',
        peers: [PEER, LEAN_PEER],
        baseline: PEER,
        bar: atLeast(5),
        how: `One pair after the other, nobody else wants the lock; ours writes who holds it each time; ${rounds} rounds. proper-lockfile as it comes; "without realpath" is proper-lockfile with realpath: false, which spares it half of its work and does not notice links.`,
      }),
    ];
  },
};

/** @type {Group} */
export const takeover = {
  ids: [6],
  async measure() {
    const kills = 120;
    // Theirs waits for its stale time and does nothing meanwhile: it disturbs nobody.
    const [ours, theirs] = await Promise.all([takeovers('holdfast', kills), takeovers(PEER, 1)]);
    return [
      {
        id: 6,
        what: 'takeover after SIGKILL of the holder, p99',
        unit: 'ms',
        ours: measured(ours, 0.99),
        peers: { [PEER]: measured(theirs) },
        bar: below(50, 'ms'),
        how:
          `From the kill to the return of the waiting process's acquire({ waitMs }), ${kills} times, each at a random moment; ` +
          `median ${measured(ours).value.toFixed(1)} ms. proper-lockfile once, with its defaults, retrying each 10 ms.`,
      },
    ];
  },
};

/**
 * A chain: who waited holds the lock, and is killed next.
 * @param {LockName} lock
 * @param {number} kills
 * @returns {Promise<number[]>} ms of each takeover
 */
async function takeovers(lock, kills) {
  const folder = stateFolder();
  const path = join(folder.path, 'takeover.lock');
  let holder = await waitingProcess(lock, path);
  await holder.acquired;
  const durations = [];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const waiter = await waitingProcess(lock, path);
      // Long enough to be waiting for sure, and at no fixed time in its waiting.
      await delay(20 + 30 * Math.random());
      const killedAt = process.hrtime.bigint();
      holder.child.kill('SIGKILL');
      durations.push(Number((await waiter.acquired) - killedAt) / 1e6);
      holder = waiter;
    }
  } finally {
    holder.child.kill('SIGKILL');
    folder.remove();
  }
  return durations;
}

/**
 * Resolves when the process is about to wait for the lock.
 * @param {LockName} lock
 * @param {string} path
 */
async function waitingProcess(lock, path) {
  const child = fork(TAKEOVER_PROCESS, [JSON.stringify({ lock, path })]);
  await once(child, 'message');
  // On the clock that all processes of the machine share.
  const acquired = once(child, 'message').then(([at]) => BigInt(at));
  return { child, acquired };
}
