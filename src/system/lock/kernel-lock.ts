/**
 * Advisory locks that the kernel keeps for an *open file*: not for a process,
 * not for a path. On Linux these are open-file-description locks, on macOS
 * BSD locks. The kernel frees one when the last descriptor of that open file
 * is closed, so at the latest when its last holder dies, and never before:
 * a holder that is slow, stopped or swapped out keeps it.
 *
 * What follows from "open file":
 * - Opening the file again, even in the same process, makes a stranger to the lock.
 * - A descriptor handed to a child is the same open file: both hold the lock,
 *   and it is free when both have closed. Unlocking explicitly would take it
 *   from the other one too; so a held lock is only ever let go by closing.
 */
import { tryLockRange } from './native-lock.js';

// One byte far behind any content: where locks are mandatory (Windows), the
// content stays readable for everyone. macOS locks whole files and takes
// nothing but zeros.
const [OFFSET, LENGTH] = process.platform === 'darwin' ? [0, 0] : [2 ** 40, 1];

/**
 * `acquired`: this open file now has the lock (or had it before).
 * `held`: another one has it.
 * `disturbed`: nobody has it, but somebody was just asking; try again. The
 * descriptor may be left with a shared lock: close it.
 */
export type Attempt = 'acquired' | 'held' | 'disturbed';

/**
 * Tries to lock the open file `fd` for itself alone. Never blocks. `fd` must
 * be open for writing. Throws system errors, e.g. `ENOLCK` on a file system without locks.
 */
export function tryLock(fd: number): Attempt {
  if (tryLockRange(fd, OFFSET, LENGTH, { shared: false })) return 'acquired';
  // Asking (`isHeld`) takes a shared lock for a moment, and that is enough to
  // refuse an exclusive one. Another shared one tells askers from a holder.
  return isHeld(fd) ? 'held' : 'disturbed';
}

/**
 * Whether another open file than `fd` has the lock. Reading rights are enough.
 * Leaves `fd` with a shared lock if not, so close it at once; and never ask
 * with an `fd` that holds the lock: it would turn into a shared one.
 */
export function isHeld(fd: number): boolean {
  return !tryLockRange(fd, OFFSET, LENGTH, { shared: true });
}
