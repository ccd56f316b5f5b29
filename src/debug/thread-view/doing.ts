import type { Frame, ThreadInspection } from '../inspection.js';
import type { RawFrame } from './in-target.js';
import type { Scripts } from './scripts.js';

export type Doing = Pick<ThreadInspection, 'state' | 'stack' | 'blockedIn'>;

/** What a thread is doing, from the stack that was interrupted for the question. */
export function doingOf(frames: readonly RawFrame[], scripts: Scripts, all: boolean): Doing {
  const interrupted = withoutQuestion(frames);
  const stackOf = (some: readonly RawFrame[]) => some.map((frame) => frameOf(frame, scripts));
  const runsUser = runsUserCode(frames, scripts);
  // In the event loop there is no JavaScript on the stack at all; but for that of holdfast, when it is it that asks.
  const waits = interrupted.length === 0 || interrupted.some(([, file]) => file !== null && scripts.isOwnFile(file));
  if (!runsUser && waits) return { state: 'waiting', stack: all ? stackOf(interrupted) : [] };
  // An async loop that never yields is mostly met between two of its steps.
  const stack = stackOf(all || !runsUser ? interrupted : interrupted.filter((frame) => !isInternal(frame, scripts)));
  // It lets itself be interrupted, unlike other code that blocks.
  if (interrupted[0]?.[0] === 'Atomics.wait') return { state: 'blocked', stack, blockedIn: 'Atomics.wait' };
  return { state: 'running', stack };
}

/** Whether code of the program was interrupted. */
export function runsUserCode(frames: readonly RawFrame[], scripts: Scripts): boolean {
  return withoutQuestion(frames).some(
    (frame) => frame[1] !== null && !isInternal(frame, scripts) && !frame[0]?.startsWith('async '),
  );
}

function isInternal([, file]: RawFrame, scripts: Scripts): boolean {
  return file !== null && scripts.isInternalFile(file);
}

/** Whether nothing was interrupted. */
export function isBare(frames: readonly RawFrame[]): boolean {
  return withoutQuestion(frames).length === 0;
}

/** The question itself is on top, as a script without a name. */
function withoutQuestion(frames: readonly RawFrame[]): readonly RawFrame[] {
  const first = frames.findIndex(([, file]) => file !== '');
  return first === -1 ? [] : frames.slice(first);
}

function frameOf([name, file, line, column]: RawFrame, scripts: Scripts): Frame {
  return { name: name ?? '', place: file === null ? null : scripts.placeIn(file, line ?? 1, column ?? 1) };
}
