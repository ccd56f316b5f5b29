/** A dump as a person reads it. */
import { formatCount, formatDuration } from '../../base/units.js';
import { limitFor, MAX_PAUSE_MS } from '../max-pause.js';
import type { Inspection, Place, ThreadInspection } from '../inspection.js';
import { renderHooks } from '../hooks/render-hooks.js';
import { countText, nameText, placeText, threadLabel, timesText } from '../render/phrases.js';
import { renderInspection } from '../render/render-inspection.js';
import { printable } from '../../base/printable.js';
import { PERIODIC, type Dump, type DumpReason } from './dump.js';
import type { Growing, Standing } from './history.js';

/** Of what still stands, and of what grows, so many are named; NDJSON has all. */
const MAX_NAMED = 20;

/** Counts that are shown of a row: the last ones. */
const MAX_COUNTS = 6;

const RULE = '='.repeat(110);

const WHY: Record<DumpReason, string> = {
  start: 'at the start',
  interval: 'interval',
  SIGUSR2: 'on SIGUSR2',
  drain: 'the drain takes long',
  end: 'at the end',
};

/** Stands at the top of each trace log. */
export function preamble(
  title: string,
  {
    intervalMs,
    maxPauseMs,
    startMaxPauseMs = maxPauseMs,
  }: { intervalMs: number; maxPauseMs: number; startMaxPauseMs?: number },
): string {
  const longest = formatDuration(maxPauseMs);
  const when =
    startMaxPauseMs === maxPauseMs
      ? 'at the start and at each interval'
      : `at an interval, ${formatDuration(startMaxPauseMs)} at the start`;
  const longestAsked = maxPauseMs < MAX_PAUSE_MS ? `, ${formatDuration(MAX_PAUSE_MS)} in those that are asked for` : '';
  return `# Trace log of ${printable(title)}.
#
# Each dump shows, thread by thread, what runs and what is awaited at that moment. Below "suspended functions"
# stands each async function that waits, with the line of its await; below it, indented, whom it waits for; at the
# end of a chain the timer, socket, file or promise that has not come yet. "open" is what keeps a thread from ending.
#
# Dumps are taken at the start, ${formatDuration(intervalMs)} after the end of the last one, on SIGUSR2 (kill -USR2 <pid>), when a
# drain takes long, and at the end of a run if something is left. Times are UTC. What is older: this file with .1 to .3.
#
# For a dump each thread stands still for a moment. Where that would take longer than ${longest} (ASYNC_DEBUG_MAX_PAUSE)
# ${when}${longestAsked}, it is not told what the thread awaits.
`;
}

/** A dump that was taken. */
export function dumpText(dump: Dump): string {
  const { number, why, inspection, standing, growing, unwritten } = dump;
  const { pid } = inspection;
  const threads = new Map(inspection.threads.map((thread) => [thread.threadId, threadLabel(thread)]));
  const about = (lines: readonly { threadId: number; text: string }[]) =>
    lines.map(({ threadId, text }) => `${threads.get(threadId)!}: ${text}`);
  return [
    `\n${RULE}\n${headline(number, why, inspection)}\n`,
    unwritten === undefined
      ? ''
      : `note: ${countText(unwritten.dumps, 'dump')} before this one could not be written: ${unwritten.why}\n`,
    `\n${renderInspection(inspection, {
      hint: `runtime inspect ${pid} --all shows them`,
      howToSee: (predictedMs) => howToSee(predictedMs, dump),
    })}`,
    section('still there', about(standing.map((each) => ({ ...each, text: standingText(each) })))),
    section('probable leaks: more at each dump', about(growing.map((each) => ({ ...each, text: growingText(each) })))),
    ...inspection.threads.map(createdText),
  ].join('');
}

/** A dump that could not be taken. */
export function failureText(number: number, why: DumpReason, at: string, error: Error): string {
  return `\n${RULE}\ndump ${number} · ${at} · ${WHY[why]} · could not be taken: ${error.message}\n`;
}

/** What a last dump comes to where nothing is awaited any more. */
export function nothingLeftText({ number, why, inspection }: Dump): string {
  const threads = countText(inspection.threads.length, 'thread');
  return `\n${RULE}\ndump ${number} · ${inspection.takenAt} · ${WHY[why]} · nothing is left: no function awaits anything in ${threads}\n`;
}

/** With the next start; or, where that may take as long, now. */
function howToSee(predictedMs: number, { why, maxPauseMs, inspection }: Dump): string | undefined {
  if (predictedMs <= maxPauseMs) return undefined;
  const setting = `ASYNC_DEBUG_MAX_PAUSE=${limitFor(predictedMs)} shows it`;
  const isShownOnSignal = PERIODIC.includes(why) && predictedMs <= MAX_PAUSE_MS;
  return isShownOnSignal ? `${setting}; so does kill -USR2 ${inspection.pid} while it runs` : setting;
}

/** `dump 3 · 2026-01-31T14:02:50.120Z · interval · 12 suspended functions in 3 threads · longest pause 140ms` */
function headline(number: number, why: DumpReason, { takenAt, threads }: Inspection): string {
  const counts = threads.flatMap(({ suspended, hidden }) => (suspended === null ? [] : suspended - hidden));
  const pauses = threads.flatMap(({ pause }) => pause.measuredMs ?? []);
  const shown = counts.reduce((sum, count) => sum + count, 0);
  const unseen = threads.length - counts.length;
  return [
    `dump ${number}`,
    takenAt,
    WHY[why],
    counts.length === 0
      ? 'suspended functions unknown'
      : `${countText(shown, 'suspended function')} in ${countText(counts.length, 'thread')}`,
    pauses.length === 0 ? 'nothing paused' : `longest pause ${formatDuration(Math.max(...pauses))}`,
    ...(unseen === 0 ? [] : [`what ${countText(unseen, 'thread')} awaited was not inspected: see the notes`]),
  ].join(' · ');
}

/** `work › read ×3  src/read.js:3:5, still there since 14:02:10 (40s), at least 2 each time`. Of what cannot be told from its like, no more is said than is known. */
function standingText({ path, at, count, since, ageMs, atLeast, task }: Standing): string {
  const known =
    task !== undefined
      ? `with task ${JSON.stringify(printable(task.id))}`
      : count === 1
        ? 'it or one like it'
        : `at least ${formatCount(atLeast)} each time`;
  return `${chain(path, at, count)}, still there since ${clock(since)} (${formatDuration(ageMs)}), ${known}`;
}

/** `refill › wait ×60  src/pool.js:9:3: 10, 25, 60, in 20s` */
function growingText({ path, at, counts, since, forMs }: Growing): string {
  const shown = counts.slice(-MAX_COUNTS).map(formatCount).join(', ');
  const before = counts.length > MAX_COUNTS ? '… ' : '';
  return `${chain(path, at, 1)}: ${before}${shown} since ${clock(since)} (${formatDuration(forMs)})`;
}

function chain(path: readonly string[], at: Place | null, count: number): string {
  return `${path.map(nameText).join(' › ')}${timesText(count)}${at === null ? '' : `  ${placeText(at)}`}`;
}

/** Who made what lives in a thread, where async_hooks keep account of it. */
function createdText({ hooks, ...thread }: ThreadInspection): string {
  if (hooks === undefined) return '';
  const [total, ...sites] = renderHooks(hooks).trimEnd().split('\n');
  return [`\n${threadLabel(thread)}: ${total!}`, ...sites, ''].join('\n');
}

/** Of an ISO 8601 time, hours to seconds. */
function clock(iso: string): string {
  return iso.slice(11, 19);
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(0, MAX_NAMED).map((line) => `  ${line}`);
  if (lines.length > MAX_NAMED) shown.push(`  … ${formatCount(lines.length - MAX_NAMED)} more`);
  return `\n${title}\n${shown.join('\n')}\n`;
}
