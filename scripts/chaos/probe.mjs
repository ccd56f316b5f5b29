// @ts-check
/**
 * Asks for the lock all the time, as anybody beside a run may, and sends what
 * it saw when it is told to end: node probe.mjs <lock file> <run id>
 *
 * Only `isLocked` and `holder`: both leave a run alone. To try to take the lock
 * would be no look from outside, for between two commands it would succeed.
 */
import { ProcessLock } from '../../dist/system/lock/process-lock.js';
import { clock } from './evidence.mjs';

/** @typedef {import('./checker.mjs').LockSpan} LockSpan */

const [path, runId] = /** @type {[string, string]} */ (process.argv.slice(2));
const lock = new ProcessLock({ path, runId });
/** @type {LockSpan[]} */
const spans = [];

function look() {
  const holder = lock.isLocked() ? (lock.holder()?.pid ?? 0) : null;
  const at = clock();
  const last = spans.at(-1);
  if (last !== undefined && last.holder === holder) {
    last.to = at;
    last.looks++;
  } else spans.push({ holder, from: at, to: at, looks: 1 });
}

const timer = setInterval(look, 1);
process.once('message', () => {
  clearInterval(timer);
  process.send?.(spans, () => process.exit());
});
// Nobody is left to tell.
process.once('disconnect', () => process.exit());
process.send?.('ready');
