import { setTimeout as delay } from 'node:timers/promises';
import { evaluate } from './evaluate.js';
import type { Inspector } from './find-inspector.js';
import { listenersOf } from './listeners.js';
import { connect, type RemoteSession } from './web-socket-session.js';

/** How long an inspector may take to close, in ms: the main thread does it, when it leaves native code. */
const CLOSE_MS = 2_000;

/**
 * How long we stay connected, in ms, while the inspector has not stopped to
 * listen. Who goes just as it stops takes the process down with him: 18 of 80
 * looks ended in SIGSEGV (Node 20 to 26 do it), none of 400 since.
 */
const LEAVE_MS = 250;

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
    // Its answer never comes, and the main thread stands until all who are connected have gone.
    evaluate(session, `builtin('node:inspector').close()`).catch(() => {});
    await untilClosed(pid, listener.port, LEAVE_MS);
    await close();
  } catch {
    // It is about to close, or the process to end.
  }
  return untilClosed(pid, listener.port, CLOSE_MS);
}

async function untilClosed(pid: number, port: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (listenersOf(pid).some((listener) => listener.port === port)) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}
