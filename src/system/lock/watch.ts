import { whereabouts } from './lock-file.js';
import type { OpenFile } from './open-file.js';

/** What became of a lock file behind its holder's back. */
export type LossReason = 'deleted' | 'replaced';

/**
 * Looks every `intervalMs` whether `path` still leads to `file`, and calls
 * `onLost` each time it does not. Gives a function that ends the watch; the
 * timer by itself keeps no process alive.
 *
 * Polled, since what `fs.watch` says about a replaced file differs between
 * systems, and on network file systems it says nothing.
 */
export function watch(
  path: string,
  file: OpenFile,
  intervalMs: number,
  onLost: (reason: LossReason) => void,
): () => void {
  const timer = setInterval(() => {
    const reason = lossOf(path, file);
    if (reason) onLost(reason);
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What has become of the file; `undefined`: nothing. */
export function lossOf(path: string, file: OpenFile): LossReason | undefined {
  try {
    const found = whereabouts(path, file);
    return found === 'there' ? undefined : found;
  } catch {
    // The folder cannot be read at the moment. That is no loss: nobody else
    // gets in either, and the kernel keeps the lock.
    return undefined;
  }
}
