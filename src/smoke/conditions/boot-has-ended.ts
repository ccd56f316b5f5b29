import type { PostCondition } from '../post-conditions.js';

/** Takes the place of all others where there is nothing to look at. */
export const bootHasEnded: PostCondition<null> = {
  name: 'boot ended',
  expected: 'an executor before the timeout',
  check: () => ({ ok: false, actual: 'still booting' }),
};
