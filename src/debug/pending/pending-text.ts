import type { LeftPending } from './left-pending.js';
import { awaitLines } from '../render/await-lines.js';
import type { Paint } from '../render/phrases.js';

const PLAIN: Paint = (_color, text) => text;

/** Each thread, and below it the tree of what was left there. */
export function pendingText(left: readonly Omit<LeftPending, 'threadId'>[], paint: Paint = PLAIN): string {
  return left
    .flatMap(({ label, unknown, awaits }) => [
      label,
      ...(unknown === undefined ? [] : [`└─ ${unknown}`]),
      ...awaitLines(awaits, { paint, all: false, hint: undefined }),
    ])
    .join('\n');
}
