import { formatSize } from '../../../base/units.js';
import { keepUnended, type UnendedThread } from './unended.js';

/**
 * How long a dying thread is waited for, in ms. Until it is gone its tasks may
 * still do things, so they are not given to others. Native code that never
 * returns keeps a thread for ever; past this, the others go on without it.
 */
const EXIT_DEADLINE_MS = 2000;

/**
 * Resolves once a thread has exited, or is not waited for any longer.
 * @param onUnended told of it then
 */
export async function goneOrGivenUp(
  thread: UnendedThread,
  exited: Promise<void>,
  onUnended: (thread: UnendedThread) => void,
): Promise<void> {
  if (await inTime(exited)) return;
  keepUnended(thread, exited);
  onUnended(thread);
}

async function inTime(exited: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), EXIT_DEADLINE_MS)));
  const hasExited = await Promise.race([exited.then(() => true), deadline]);
  clearTimeout(timer);
  return hasExited;
}

/** Why a thread is ended that says it is above its limit. @param limit in bytes */
export function burstError({ heap, external }: { heap: number; external: number }, limit: number | undefined): Error {
  const counted = `${formatSize(heap)} of heap and ${formatSize(external)} of external memory`;
  const message = `the thread held ${counted}, above its limit of ${formatSize(limit ?? 0)}`;
  return Object.assign(new Error(message), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
}
