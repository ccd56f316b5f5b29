/** How long a thread may be made to stand for a walk through its heap. */
import { InvalidInputError } from '../base/errors.js';
import { quoted } from '../base/faults.js';

/** Where nobody says otherwise, in ms. */
export const MAX_PAUSE_MS = 5_000;

/** A prediction is no promise: the next one may be as much longer. */
const ROOM = 1.5;

/** A limit under which a walk that is predicted to take so long would be taken, too, as `--max-pause` reads it. */
export function limitFor(predictedMs: number): string {
  return `${Math.ceil((predictedMs * ROOM) / 1_000)}s`;
}

/** @throws InvalidInputError ERR_INVALID_OPTIONS */
export function checkMaxPause(maxPauseMs: unknown): void {
  if (typeof maxPauseMs === 'number' && maxPauseMs >= 0) return;
  const problem = `must be milliseconds, from 0, got ${quoted(maxPauseMs)}`;
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was inspected', [{ where: 'maxPauseMs', problem }]);
}
