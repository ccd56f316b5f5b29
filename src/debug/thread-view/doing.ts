import type { Frame, ThreadInspection } from '../inspection.js';
import type { RawFrame } from './in-target.js';
import type { Scripts } from './scripts.js';

type Doing = Pick<ThreadInspection, 'state' | 'stack' | 'blockedIn'>;

/** What a thread is doing, from the stack that was interrupted for the question. */
export function doingOf(frames: readonly RawFrame[], scripts: Scripts, all: boolean): Doing {
  const interrupted = withoutQuestion(frames);
  const stackOf = (some: readonly RawFrame[]) => some.map((frame) => frameOf(frame, scripts));
  const visible = interrupted.filter(([, file]) => file === null || !scripts.isInternalFile(file));
  // Nothing but Node's own: it is between two callbacks, or it is holdfast that asks.
  const runs = visible.some(([name, file]) => file !== null && !name?.startsWith('async '));
  if (!runs) return { state: 'waiting', stack: all ? stackOf(interrupted) : [] };
  const stack = stackOf(all ? interrupted : visible);
  // It lets itself be interrupted, unlike other code that blocks.
  if (interrupted[0]?.[0] === 'Atomics.wait') return { state: 'blocked', stack, blockedIn: 'Atomics.wait' };
  return { state: 'running', stack };
}

/** The question itself is on top, as a script without a name. */
function withoutQuestion(frames: readonly RawFrame[]): readonly RawFrame[] {
  const first = frames.findIndex(([, file]) => file !== '');
  return first === -1 ? [] : frames.slice(first);
}

function frameOf([name, file, line, column]: RawFrame, scripts: Scripts): Frame {
  return { name: name ?? '', place: file === null ? null : scripts.placeIn(file, line ?? 1, column ?? 1) };
}
