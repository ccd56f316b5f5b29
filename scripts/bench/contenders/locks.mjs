// @ts-check
import { writeFileSync } from 'node:fs';

/**
 * @typedef {object} Lock
 * @property {(waitMs?: number) => Promise<unknown>} acquire
 * @property {() => unknown} release
 */

export const locks = {
  /** @param {string} path @returns {Promise<Lock>} */
  async holdfast(path) {
    const { ProcessLock } = await import('../../../dist/index.js');
    const lock = new ProcessLock({ path, runId: 'bench' });
    return { acquire: (waitMs = 0) => lock.acquire({ waitMs }), release: () => lock.release() };
  },

  /** @param {string} path @returns {Promise<Lock>} */
  async 'proper-lockfile'(path) {
    // As it comes, it locks a file that is there.
    writeFileSync(path, '');
    return properLockfile(path, true);
  },

  /** @param {string} path @returns {Promise<Lock>} */
  async 'without realpath'(path) {
    return properLockfile(path, false);
  },
};

/** @param {string} path @param {boolean} realpath @returns {Promise<Lock>} */
async function properLockfile(path, realpath) {
  // @ts-expect-error it comes without types
  const { lock, unlock } = (await import('proper-lockfile')).default;
  return {
    acquire: (waitMs = 0) => {
      const retries = { retries: Math.floor(waitMs / 10), minTimeout: 10, maxTimeout: 10 };
      return lock(path, { realpath, retries });
    },
    release: () => unlock(path, { realpath }),
  };
}
