/**
 * Three tasks that never end by themselves, and how a timeout ends each:
 *
 *   seq 3 | runtime run examples/stuck.mjs --lines --handler waits --timeout 300ms
 *
 * In the same way a task ends that is cancelled, or whose run is stopped twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Passes the signal on to what it waits for. Ends at once. */
export async function waits(_input, { signal }) {
  await sleep(3_600_000, undefined, { signal });
}

/** Computes, and never lets the event loop turn; but it asks. Ends at once. */
export function computes(_input, { signal }) {
  for (let round = 0; ; round++) {
    if (round % 1000 === 0) signal.throwIfAborted();
  }
}

/** Neither waits nor asks. After the grace (`--grace`, 2 s) its thread is ended, and another one takes its place. */
export function spins() {
  for (;;);
}
