// @ts-check
/** What keeps account of a process from within: each is started before anything else, and then never asked. */
import { createHook } from 'node:async_hooks';

/** @type {Record<string, () => Promise<void>>} */
export const watchers = {
  async nobody() {},

  async 'ASYNC_DEBUG=hooks'() {
    // Threads start theirs themselves.
    process.env['ASYNC_DEBUG'] = 'hooks';
    const { startHooks } = await import('../../../dist/debug/hooks/hooks.js');
    startHooks();
  },

  /** As its documentation shows how to follow resources; with where each was made. */
  async 'async_hooks with stacks'() {
    /** @type {Map<number, { type: string, createdAt: number, stack: string | undefined }>} */
    const live = new Map();
    createHook({
      init(id, type) {
        live.set(id, { type, createdAt: performance.now(), stack: new Error('made here').stack });
      },
      destroy(id) {
        live.delete(id);
      },
    }).enable();
  },

  async 'why-is-node-running'() {
    await import('why-is-node-running');
  },
};
