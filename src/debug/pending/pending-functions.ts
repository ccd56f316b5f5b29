import { inspectSelf } from '../inspect-self.js';
import type { AwaitBranch, Leaf, OpenStream, ThreadInspection } from '../inspection.js';
import { threadLabel } from '../render/phrases.js';

/** Functions that are not to count: by their name, or by what their text matches: `name (file:line:column)`, where they are written. */
export type Ignored = readonly (string | RegExp)[];

/** A thread in which something was left pending, or of which that cannot be told. */
export interface LeftPending {
  /** As `worker_threads.threadId` has it; 0: the main thread. */
  threadId: number;
  /** What it is called: `main`, `worker 1`. */
  label: string;
  /** What was left, and what it waits for. */
  awaits: AwaitBranch[];
  /** Streams to files that are open, those with most to write first; empty where they were not asked for. */
  openStreams: OpenStream[];
  /** Why it cannot be told: a sentence; else `undefined`. */
  unknown: string | undefined;
}

/**
 * Async functions in this process that nobody waits for any more, and that
 * have not ended. What the caller itself waits in does not count, nor does what
 * packages and Node do on their own: a function counts that is of no package,
 * and that no other one awaits; or that runs a task.
 *
 * @param threads ids of the threads to look at; default: all that can be seen from here
 * @param openStreams whether streams to files that are open count, too, those of packages included; default `false`
 */
export async function leftPending({
  threads,
  ignore = [],
  openStreams = false,
}: { threads?: readonly number[]; ignore?: Ignored; openStreams?: boolean } = {}): Promise<LeftPending[]> {
  const counts = (branch: AwaitBranch) => isLeft(branch) && !isIgnored(branch, ignore);
  const inspection = await inspectSelf({ ...(threads && { threads }), keep: counts, openStreams });
  return inspection.threads
    .map(toLeftPending)
    .filter(({ awaits, openStreams: open, unknown }) => awaits.length + open.length > 0 || unknown !== undefined);
}

/** How many functions are on top: those below them only follow from these. */
export function countOf(left: readonly Pick<LeftPending, 'awaits'>[]): number {
  return left.flatMap(({ awaits }) => awaits).reduce((sum, { count }) => sum + count, 0);
}

function toLeftPending(thread: ThreadInspection): LeftPending {
  const { threadId, view, awaits, openStreams = [], notes } = thread;
  const unknown = view === 'whole' ? undefined : (notes[0] ?? 'it could not be seen');
  return { threadId, label: threadLabel(thread), awaits, openStreams, unknown };
}

function isLeft(branch: AwaitBranch): boolean {
  if (branch.tasks !== undefined) return true;
  // By a step only something that is not shown, of Node or of holdfast, can have come to what is on top.
  if (branch.via.length > 0 || branch.definedAt === null) return false;
  return !branch.definedAt.file.includes('/node_modules/') && !leadsToCaller(branch);
}

/** Without recursion: a chain may be longer than the stack. */
function leadsToCaller(top: AwaitBranch): boolean {
  for (const open = [top]; open.length > 0;) {
    const { leaves, children } = open.pop()!;
    if (leaves.some(isThisLook)) return true;
    open.push(...children);
  }
  return false;
}

function isThisLook({ kind }: Leaf): boolean {
  return kind === 'this look';
}

function isIgnored({ name, definedAt }: AwaitBranch, ignore: Ignored): boolean {
  const place = definedAt === null ? '' : ` (${definedAt.file}:${definedAt.line}:${definedAt.column})`;
  return ignore.some((what) => (typeof what === 'string' ? what === name : what.test(`${name}${place}`)));
}
