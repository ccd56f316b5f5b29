import { now } from './board.js';
import { OwnPromise, setImmediateOf } from './own.js';

/**
 * Between tasks that never await, a thread lets its event loop turn after so
 * many milliseconds of work. Node frees native memory, runs finalizers and lets
 * go of signals (`AbortSignal.any`) then, and only then: without, 1,200 tasks
 * with a Blob of 1 MB each hold 645 MB, with it 29. A turn costs 70 to 100 µs.
 */
const TURN_AFTER_MS = 8;

let turnedAt = now();

/** To be called whenever the event loop turns. */
export function noteTurn(): void {
  turnedAt = now();
}

/** @param at an instant of `now` that is not long ago: to read the clock again costs a tenth of a no-op task */
export function isTurnDue(at: number): boolean {
  return at - turnedAt > TURN_AFTER_MS;
}

/** Resolves when the event loop has turned. */
export function turnOfTheLoop(): Promise<void> {
  return new OwnPromise((resolve) => {
    setImmediateOf(() => {
      noteTurn();
      resolve();
    });
  });
}
