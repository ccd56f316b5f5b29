/** What `--fail-on-leak` has found, in words. */
import { pendingText } from '../../../debug/pending/pending-text.js';
import type { LeftInThread } from '../../../runtime/left-in-threads.js';
import { formatCount } from '../../../base/units.js';
import type { Paint } from '../../screen/color.js';

/**
 * @param threads how many there are in all
 * @returns `any`: whether anything was left behind. A thread that could not be looked at is none, and is told.
 */
export function leaksText(
  left: readonly LeftInThread[],
  threads: number,
  paint: Paint,
): { any: boolean; text: string } {
  const labelled = left.map(({ thread, ...found }) => ({ label: `thread ${thread}`, ...found }));
  const leaks = labelled.filter(({ unknown }) => unknown === undefined);
  const unseen = labelled.filter(({ unknown }) => unknown !== undefined);
  let text = '';
  if (leaks.length > 0) text += `runtime: ${headline(leaks)} (--fail-on-leak):\n${pendingText(leaks, paint)}\n`;
  if (unseen.length > 0) {
    text += `runtime: whether tasks left anything behind is not known of ${formatCount(unseen.length)} of ${formatCount(threads)} threads (--fail-on-leak could not look):\n${pendingText(unseen, paint)}\n`;
  }
  return { any: leaks.length > 0, text };
}

function headline(leaks: readonly Pick<LeftInThread, 'awaits' | 'openStreams'>[]): string {
  const functions = 'tasks left async functions behind in the threads, which nobody waits for';
  if (leaks.every(({ openStreams }) => openStreams.length === 0)) return functions;
  if (leaks.some(({ awaits }) => awaits.length > 0)) return `${functions}, and file streams that nobody closed`;
  return 'tasks left file streams open in the threads: what they have not written is lost';
}
