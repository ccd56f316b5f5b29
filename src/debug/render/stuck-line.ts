/** Where one task stands, as one line: for logs, and for the record of its end. */
import { printable } from '../../base/printable.js';
import type { AwaitBranch, Frame, Leaf, Place, Step, TaskReference, ThreadInspection } from '../inspection.js';
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

interface Within {
  /** Tasks that stand at the same place, and are told of in the same branch. */
  alike: number;
  /** Of how many forks below it is still told. */
  forks: number;
}

/** The task's own way through its thread: see `TaskErrorRecord.stuckAt`. */
export function stuckLine(thread: ThreadInspection, taskId: string): string {
  const isTask = ({ id }: TaskReference) => id === taskId;
  const branch = thread.awaits.find(({ tasks = [] }) => tasks.some(isTask));
  const line = branch === undefined ? runningLine(thread) : waitingLine(thread, branch, isTask);
  return printable(line.replaceAll('\n', ' '), MAX_TEXT);
}

/** Of a task that nothing awaits: it runs now, or the heap was not walked through. */
function runningLine(thread: ThreadInspection): string {
  const { view, tasks = [], notes } = thread;
  const runs = runningText(thread);
  const why = notes[0] ?? 'not known: it was between two awaits';
  if (runs === undefined) return `${why}${openText(thread)}`;
  // Which of several tasks it is, the stack does not tell.
  return view === 'cheap' && tasks.length > 1 ? `${why}; its thread is ${runs}` : runs;
}

/** What is open in a thread is what its tasks may wait for. */
function openText({ view, handles }: ThreadInspection): string {
  if (view === 'whole') return '';
  // Through message ports a thread of holdfast gets its tasks.
  const told = handles.filter(({ kind }) => kind !== 'message port');
  if (told.length === 0) return '';
  const named = told.slice(0, MAX_SIDES).map(({ what, count }) => `${what}${timesText(count)}`);
  const more = told.length - named.length;
  return `; its thread has open: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function waitingLine(thread: ThreadInspection, root: AwaitBranch, isTask: (task: TaskReference) => boolean): string {
  const runs = runningText(thread);
  // It has awaited something before, and computes: what its lane awaits is a promise that nothing holds now.
  if (runs !== undefined && awaitsNothingElse(root) && (thread.tasks ?? []).length === 1) return runs;
  const first = withoutLane(root, root.tasks!.find(isTask)!);
  const waits = `waiting: ${chainText(first, { alike: root.count, forks: MAX_FORKS })}`;
  return runs === undefined ? waits : `${waits}; meanwhile its thread is ${runs}`;
}

/** Below it is nothing suspended: at most the handler, as one that is not. */
function awaitsNothingElse({ children }: AwaitBranch): boolean {
  return children.every(({ at, children: below }) => at === null && below.length === 0);
}

/** What carries the task is of holdfast; what it waits for is the handler. */
function withoutLane(root: AwaitBranch, { handler }: TaskReference): AwaitBranch {
  const [call, other] = root.children;
  if (call !== undefined && other === undefined && root.leaves.length === 0 && call.via.length === 0) return call;
  // Alike tasks of several handlers, whose calls are not seen.
  return { ...root, name: handler, at: null, definedAt: null };
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

/** How many of them one of the tasks has. */
function each(count: number, alike: number): number {
  return Math.max(1, Math.round(count / alike));
}

function chainText(first: AwaitBranch, within: Within): string {
  const steps: string[] = [];
  let branch: AwaitBranch | undefined = first;
  while (branch !== undefined) {
    steps.push(branchText(branch, within));
    const { children, leaves }: AwaitBranch = branch;
    const sides: (() => string)[] = [
      ...children.map((child) => () => chainText(child, { ...within, forks: within.forks - 1 })),
      ...leaves.map((leaf) => () => leafText(leaf, within)),
    ];
    branch = children.length === 1 && leaves.length === 0 ? children[0] : undefined;
    if (branch !== undefined || sides.length === 0) continue;
    if (sides.length === 1) steps.push(sides[0]!());
    else steps.push(within.forks > 0 ? sidesText(sides) : `${sides.length} others`);
  }
  return shortened(steps).join(' → ');
}

function sidesText(sides: readonly (() => string)[]): string {
  const named = sides.slice(0, MAX_SIDES).map((side) => side());
  const more = sides.length - named.length;
  return `[${named.join(' | ')}${more > 0 ? ` | and ${more} more` : ''}]`;
}

function branchText(branch: AwaitBranch, { alike }: Within): string {
  const { via, name, count, at, definedAt, circular, omitted } = branch;
  const place = at ?? definedAt;
  const where = place === null ? '' : ` (${at === null ? 'written at ' : ''}${placeText(place)})`;
  return `${stepsText(via)}${nameText(name)}${timesText(each(count, alike))}${where}${circular ? ', which waits for itself' : ''}${omitted === undefined ? '' : ` → ${omitted} more`}`;
}

function leafText({ via, what, count }: Leaf, { alike }: Within): string {
  return `${stepsText(via)}${what}${timesText(each(count, alike))}`;
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
