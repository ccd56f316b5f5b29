import { setTimeout as delay } from 'node:timers/promises';
import { evaluate } from './evaluate.js';
import type { Inspector } from './find-inspector.js';
import { listenersOf, type Listener } from './listeners.js';
import { connect, type RemoteSession } from './web-socket-session.js';

/** How long each step of it may take, in ms. The main thread does it, as soon as it leaves native code. */
const CLOSE_MS = 2_000;

/**
 * Closes the inspector of a process, by a session with its main thread, which
 * ends; default: a new one. Gives whether it is closed. Never rejects.
 */
export async function closeInspector(
  pid: number,
  { listener, url }: Inspector,
  remote?: RemoteSession,
): Promise<boolean> {
  try {
    const { session, lost, close } = remote ?? (await connect(url, CLOSE_MS));
    try {
      // What no thread is there to hear would be done when nobody looks after it any more.
      await evaluate(session, '0', CLOSE_MS);
      // No answer comes: Node drops the connection instead. It must not find it dropped by us, see there.
      evaluate(session, `builtin('node:inspector').close()`).catch(() => {});
      await Promise.race([lost, delay(CLOSE_MS, undefined, { ref: false })]);
    } finally {
      close();
    }
  } catch {
    // It is blocked, or closed by somebody else, or ends.
  }
  return isClosed(pid, listener);
}

async function isClosed(pid: number, { port }: Listener): Promise<boolean> {
  const deadline = performance.now() + CLOSE_MS;
  while (listenersOf(pid).some((listener) => listener.port === port)) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}
