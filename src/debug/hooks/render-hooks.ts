import { formatCount, formatDuration } from '../../base/units.js';
import { printable } from '../../base/printable.js';
import { countText, frameText, timesText, type Paint } from '../render/phrases.js';
import type { CreationSite, HooksSnapshot } from '../inspection.js';

/** Sites that a person reads. */
const MAX_SHOWN = 10;

const plain: Paint = (_color, text) => text;

/**
 * What the hooks of a thread keep account of, as lines: first what could not be
 * kept, then who made what has lived longest.
 */
export function renderHooks(snapshot: HooksSnapshot, paint: Paint = plain): string {
  const { live, recorded, dropped, sampledOneIn, sites, untold } = snapshot;
  const sampled = sampledOneIn === 1 ? 'each with its stack' : `one in ${gapText(sampledOneIn)} with its stack`;
  const losses = dropped === 0 ? '' : `; ${formatCount(dropped)} not followed, as too many lived`;
  const lines = [`created: ${countText(live, 'resource')} live of ${formatCount(recorded)}, ${sampled}${losses}`];
  // What has no place tells least.
  const byTold = [...sites.filter(hasPlace), ...sites.filter((site) => !hasPlace(site))];
  for (const site of byTold.slice(0, MAX_SHOWN)) {
    lines.push(`  ${paint('green', headOf(site))}`);
    lines.push(...(site.stack ?? []).map((frame) => `    ${frameText(frame, paint)}`));
  }
  const rest = byTold.slice(MAX_SHOWN).reduce((sum, { count }) => sum + count, untold);
  if (rest > 0) lines.push(`  ${paint('dim', `… ${formatCount(rest)} more, made elsewhere`)}`);
  return `${lines.join('\n')}\n`;
}

function gapText(oneIn: number): string {
  return oneIn < 10 ? String(Number(oneIn.toFixed(1))) : formatCount(oneIn);
}

function hasPlace({ stack }: CreationSite): boolean {
  return stack !== null && stack.length > 0;
}

const WORDS: Partial<Record<string, string>> = { PROMISE: 'promise', Timeout: 'timer' };

function headOf({ type, stack, count, oldestAgeMs }: CreationSite): string {
  const what = `${WORDS[type] ?? printable(type)}${timesText(count)}`;
  const age = `${count === 1 ? '' : 'the oldest '}${formatDuration(oldestAgeMs)} old`;
  if (stack === null) return `${what} without a stack, ${age}`;
  return stack.length === 0 ? `${what} made inside Node or holdfast, ${age}` : `${what}, ${age}`;
}
