import { printableWord } from '../../base/printable.js';
import { formatCount } from '../../base/units.js';
import type { OpenStream } from '../inspection.js';
import { awaitLines } from '../render/await-lines.js';
import { countText, type Paint } from '../render/phrases.js';
import type { LeftPending } from './pending-functions.js';

/** Streams of one thread that are named. */
const MAX_STREAMS = 20;

const PLAIN: Paint = (_color, text) => text;

/** Each thread, and below it what was left there: open streams, and the tree of functions. */
export function pendingText(left: readonly Omit<LeftPending, 'threadId'>[], paint: Paint = PLAIN): string {
  return left
    .flatMap(({ label, unknown, awaits, openStreams }) => [
      label,
      ...(unknown === undefined ? [] : [`└─ ${unknown}`]),
      ...streamLines(openStreams, awaits.length > 0, paint),
      ...awaitLines(awaits, { paint, all: false, hint: undefined }),
    ])
    .join('\n');
}

function streamLines(streams: readonly OpenStream[], hasMoreBelow: boolean, paint: Paint): string[] {
  const texts = streams.slice(0, MAX_STREAMS).map((stream) => streamText(stream, paint));
  const more = streams.length - texts.length;
  if (more > 0) texts.push(paint('dim', `… ${formatCount(more)} more open file stream${more === 1 ? '' : 's'}`));
  return texts.map((text, index) => `${hasMoreBelow || index < texts.length - 1 ? '├─' : '└─'} ${text}`);
}

function streamText({ path, unwrittenBytes }: OpenStream, paint: Paint): string {
  const name = path === null ? '' : ` ${printableWord(path)}`;
  const unwritten = unwrittenBytes === 0 ? '' : ` (${countText(unwrittenBytes, 'byte')} not written)`;
  return `${paint('green', `open file stream${name}`)}${unwritten}`;
}
