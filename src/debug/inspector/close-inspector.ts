import { setTimeout as delay } from 'node:timers/promises';
import { evaluate } from './evaluate.js';
import type { Inspector } from './find-inspector.js';
import { listenersOf } from './listeners.js';
import { connect, type RemoteSession } from './web-socket-session.js';

/** How long an inspector may take to close, in ms: the main thread does it, when it leaves native code. */
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
    const { session, close } = remote ?? (await connect(url, CLOSE_MS));
    // Its answer never comes, and the main thread stands until all who are connected have gone: so we go at once.
    evaluate(session, `builtin('node:inspector').close()`).catch(() => {});
    await close();
  } catch {
    // It is about to close, or the process to end.
  }
  const deadline = performance.now() + CLOSE_MS;
  while (listenersOf(pid).some(({ port }) => port === listener.port)) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}
