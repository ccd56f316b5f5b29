import { setTimeout as delay } from 'node:timers/promises';
import { evaluate } from './evaluate.js';
import type { Inspector } from './find-inspector.js';
import { listenersOf, type Listener } from '../process/listeners.js';
import { connect, type RemoteSession } from './web-socket-session.js';

/** How long each step of it may take, in ms. The main thread does it, as soon as it leaves native code. */
const CLOSE_MS = 2_000;

/**
 * Closes the inspector of a process, by a session with its main thread, which
 * ends; default: a new one. Gives whether it is closed. Never rejects.
 *
 * @param onAsk called right before it is asked to close. From then on it is left alone, and waited for, see
 *   `isClosedWithin`: a process must outlive a look (Node 24 and 26 ended by SIGSEGV, on a busy machine).
 */
export async function closeInspector(
  pid: number,
  { listener, url }: Inspector,
  onAsk: () => void,
  remote?: RemoteSession,
): Promise<boolean> {
  try {
    const { session, lost, close } = remote ?? (await connect(url, CLOSE_MS));
    try {
      // What no thread is there to hear would be done when nobody looks after it any more.
      await evaluate(session, '0', CLOSE_MS);
      onAsk();
      // No answer comes: Node drops the connection instead. It must not find it dropped by us, see there.
      evaluate(session, `builtin('node:inspector').close()`).catch(() => {});
      await Promise.race([lost, delay(CLOSE_MS, undefined, { ref: false })]);
    } finally {
      await close();
    }
  } catch {
    // It is blocked, or closed by somebody else, or ends.
  }
  return isClosedWithin(pid, listener, CLOSE_MS);
}

/** Whether nothing listens any more where an inspector did, after so many ms at most. */
export async function isClosedWithin(pid: number, { port }: Listener, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (listenersOf(pid).some((listener) => listener.port === port)) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}
