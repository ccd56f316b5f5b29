/** Where one task stands, as one line: for logs, and for the record of its end. */
import { printable } from '../../runtime/printable.js';
import type { AwaitBranch, Frame, Leaf, Place, Step, ThreadInspection } from '../inspection.js';
import { nameText, timesText } from './phrases.js';

/** Of a chain its first and its last steps are told: who began it, and what it waits for in the end. */
const MAX_HEAD = 4;
const MAX_TAIL = 8;

/** Of what is waited for side by side. */
const MAX_SIDES = 3;

/** Forks within forks are told of so deep. */
const MAX_FORKS = 3;

/** Characters. */
const MAX_TEXT = 2_000;

/** The task's own way through its thread: see `TaskErrorRecord.stuckAt`. */
export function stuckLine(thread: ThreadInspection, taskId: string): string {
  const branch = thread.awaits.find(({ tasks = [] }) => tasks.some(({ id }) => id === taskId));
  const waits = branch === undefined ? undefined : chainText(branch, MAX_FORKS);
  return printable(waitingLine(thread, waits), MAX_TEXT);
}

function waitingLine(thread: ThreadInspection, waits: string | undefined): string {
  const runs = runningText(thread);
  if (waits === undefined) return runs ?? `not known: ${thread.notes[0] ?? 'it was between two awaits'}`;
  return runs === undefined ? `waiting: ${waits}` : `waiting: ${waits}; meanwhile its thread is ${runs}`;
}

/** What the thread does instead of turning its event loop. */
function runningText({ state, stack, blockedIn }: ThreadInspection): string | undefined {
  const frames = stack.filter(isOfTask).toReversed();
  const way = shortened(frames.map(frameText)).join(' → ');
  if (state === 'running') return way === '' ? undefined : `running: ${way}`;
  if (state !== 'blocked') return undefined;
  const where = blockedIn === undefined ? 'native code' : printable(blockedIn);
  return way === '' ? `blocked in ${where}` : `blocked in ${where}: ${way}`;
}

/** Below each task are those who brought it to the thread. */
function isOfTask({ place }: Frame): boolean {
  return place === null || !place.file.includes('/node_modules/piscina/');
}

function chainText(first: AwaitBranch, forks: number): string {
  const steps: string[] = [];
  let branch: AwaitBranch | undefined = first;
  while (branch !== undefined) {
    steps.push(branchText(branch));
    const { children, leaves }: AwaitBranch = branch;
    const sides: (() => string)[] = [
      ...children.map((child) => () => chainText(child, forks - 1)),
      ...leaves.map((leaf) => () => leafText(leaf)),
    ];
    branch = children.length === 1 && leaves.length === 0 ? children[0] : undefined;
    if (branch !== undefined || sides.length === 0) continue;
    if (sides.length === 1) steps.push(sides[0]!());
    else steps.push(forks > 0 ? sidesText(sides) : `${sides.length} others`);
  }
  return shortened(steps).join(' → ');
}

function sidesText(sides: readonly (() => string)[]): string {
  const named = sides.slice(0, MAX_SIDES).map((side) => side());
  const more = sides.length - named.length;
  return `[${named.join(' | ')}${more > 0 ? ` | and ${more} more` : ''}]`;
}

function branchText({ via, name, count, at, definedAt, circular }: AwaitBranch): string {
  const place = at ?? definedAt;
  const where = place === null ? '' : ` (${at === null ? 'written at ' : ''}${placeText(place)})`;
  return `${stepsText(via)}${nameText(name)}${timesText(count)}${where}${circular ? ', which waits for itself' : ''}`;
}

function leafText({ via, what, count }: Leaf): string {
  return `${stepsText(via)}${what}${timesText(count)}`;
}

function frameText({ name, place }: Frame): string {
  return place === null ? nameText(name) : `${nameText(name)} (${placeText(place)})`;
}

/** Whole: it is read later, and elsewhere. */
function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

function stepsText(via: readonly Step[]): string {
  return via.map((step) => `${step === 'adopted' ? 'resolved with' : step} ▸ `).join('');
}

function shortened(steps: readonly string[]): readonly string[] {
  if (steps.length <= MAX_HEAD + MAX_TAIL + 1) return steps;
  const left = steps.length - MAX_HEAD - MAX_TAIL;
  return [...steps.slice(0, MAX_HEAD), `${left} more`, ...steps.slice(-MAX_TAIL)];
}
