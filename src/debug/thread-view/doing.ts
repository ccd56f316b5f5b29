import type { Frame, ThreadInspection } from '../inspection.js';
import type { RawFrame } from './in-target.js';
import { isInternal } from './internals.js';
import type { Scripts } from './scripts.js';

type Doing = Pick<ThreadInspection, 'state' | 'stack' | 'blockedIn'>;

/** What a thread is doing, from the stack that was interrupted for the question. */
export function doingOf(frames: readonly RawFrame[], scripts: Scripts, all: boolean): Doing {
  const interrupted = withoutQuestion(frames);
  const stack = interrupted.map((frame) => frameOf(frame, scripts));
  const visible = stack.filter(({ place }) => place === null || !isInternal(place.file));
  // Nothing but Node's own: as in the loop, between two callbacks, or when it is holdfast that asks.
  if (!visible.some(({ place }) => place !== null)) return { state: 'waiting', stack: all ? stack : [] };
  const shown = all ? stack : visible;
  // It lets itself be interrupted, unlike other code that blocks.
  if (stack[0]?.name === 'Atomics.wait') return { state: 'blocked', stack: shown, blockedIn: 'Atomics.wait' };
  return { state: 'running', stack: shown };
}

/** The question itself is on top, as a script without a name. */
function withoutQuestion(frames: readonly RawFrame[]): readonly RawFrame[] {
  const first = frames.findIndex(([, file]) => file !== '');
  return first === -1 ? [] : frames.slice(first);
}

function frameOf([name, file, line, column]: RawFrame, scripts: Scripts): Frame {
  return { name: name ?? '', place: file === null ? null : scripts.placeIn(file, line ?? 1, column ?? 1) };
}
