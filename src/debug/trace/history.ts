/** What dumps tell only together: what still stands since an earlier one, and what grows from one to the next. */
import type { AwaitBranch, Inspection, Place, TaskReference, ThreadInspection } from '../inspection.js';

/** Suspended functions that were there at an earlier dump. */
export interface Standing {
  threadId: number;
  /** Names of the functions, from the one that nobody awaits to the one that stands; of one that runs a task, `task`. */
  path: string[];
  at: Place | null;
  /** Of the first dump of an unbroken row in which such a function stood there. ISO 8601, UTC. */
  since: string;
  ageMs: number;
  /** How many stand there now. */
  count: number;
  /** As many stood there at each of these dumps, at least. */
  atLeast: number;
  /** The task above, where it was the very same one at all these dumps. */
  task?: TaskReference;
}

/** Something that there was more of at each of the last dumps. */
export interface Growing {
  threadId: number;
  /** As in `Standing`; of a handle, its kind alone. */
  path: string[];
  at: Place | null;
  /** At each dump of the row, the latest last. */
  counts: number[];
  /** Of the dump at which the row began. ISO 8601, UTC. */
  since: string;
  forMs: number;
}

/** So many dumps in a row, each with more than the one before, make a probable leak. */
const GROWING_DUMPS = 3;

/** Times at which a timer is due that differ by more than this and the length of both looks are of two timers. */
const SAME_TIMER_MS = 250;

/** Of a row of counts, the last ones are kept. */
const MAX_COUNTS = 12;

/** Counts that have only risen so far. */
interface Rise {
  counts: number[];
  since: string;
}

type Look = Pick<Inspection, 'takenAt' | 'tookMs'>;

interface Stand {
  branch: AwaitBranch;
  /** The last look that showed it. */
  seen: Look;
  since: string;
  atLeast: number;
  rise: Rise;
  tasks: ReadonlyMap<string, TaskReference>;
  below: Stands;
}

type Stands = Map<string, Stand>;

interface ThreadMemory {
  stands: Stands;
  handles: Map<string, Rise>;
}

/**
 * V8 names no function that is suspended, so that of two dumps are taken for
 * the same what is reached in the same way, and stands at the same place; below
 * a task, only of the same attempt. Without a task this says no more than that
 * one like it stood there at each dump.
 */
export class History {
  readonly #threads = new Map<number, ThreadMemory>();

  /** Takes the next dump in; gives what it tells beside those before it, the oldest and the longest first. */
  add(inspection: Inspection): { standing: Standing[]; growing: Growing[] } {
    const standing: Standing[] = [];
    const growing: Growing[] = [];
    const now = inspection.takenAt;
    const ageOf = (since: string) => Date.parse(now) - Date.parse(since);
    const before = new Map(this.#threads);
    this.#threads.clear();
    for (const thread of inspection.threads) {
      const { threadId } = thread;
      const { stands, handles } = nextMemory(thread, before.get(threadId), { takenAt: now, tookMs: inspection.tookMs });
      this.#threads.set(threadId, { stands, handles });
      const grows = (path: string[], at: Place | null, { counts, since }: Rise) =>
        growing.push({ threadId, path, at, counts, since, forMs: ageOf(since) });
      for (const [kind, rise] of handles) if (isGrowing(rise)) grows([kind], null, rise);
      // What was not looked at is remembered, and not told again.
      if (thread.view === 'cheap') continue;
      visit(stands, ({ branch, since, atLeast, rise, task, path, innermost }) => {
        const { at, count } = branch;
        if (innermost.standing && since !== now) {
          standing.push({ threadId, path, at, since, ageMs: ageOf(since), count, atLeast, ...(task && { task }) });
        }
        if (innermost.growing && isGrowing(rise)) grows(path, at, rise);
      });
    }
    return {
      standing: standing.toSorted((a, b) => b.ageMs - a.ageMs || b.count - a.count),
      growing: growing.toSorted((a, b) => b.counts.length - a.counts.length || b.counts.at(-1)! - a.counts.at(-1)!),
    };
  }
}

function nextMemory(thread: ThreadInspection, before: ThreadMemory | undefined, look: Look): ThreadMemory {
  const stands = before?.stands ?? new Map();
  return {
    stands: thread.view === 'whole' ? nextStands(thread.awaits, stands, look) : stands,
    handles: nextHandles(thread, before?.handles ?? new Map(), look.takenAt),
  };
}

function nextStands(branches: readonly AwaitBranch[], before: Stands, look: Look): Stands {
  const now = look.takenAt;
  const next: Stands = new Map();
  for (const [key, branch] of merged(branches)) {
    const earlier = before.get(key);
    const tasks = sameTasks(branch, earlier);
    const stayed = earlier !== undefined && !hasMoved(earlier, branch, look) && tasks !== undefined;
    const certain = tasks === undefined || tasks.size === 0 ? branch.count : tasks.size;
    next.set(key, {
      branch,
      seen: look,
      since: stayed ? earlier.since : now,
      atLeast: stayed ? Math.min(earlier.atLeast, certain) : branch.count,
      rise: nextRise(earlier?.rise, branch.count, now),
      tasks: tasks ?? tasksOf(branch),
      below: nextStands(branch.children, stayed ? earlier.below : new Map(), look),
    });
  }
  return next;
}

/** Those that an inspection tells apart by what is below them alone are one here: what is below may come and go. */
function merged(branches: readonly AwaitBranch[]): Map<string, AwaitBranch> {
  const byKey = new Map<string, AwaitBranch>();
  for (const branch of branches) {
    const { name, definedAt, via } = branch;
    const key = JSON.stringify([name, definedAt, via]);
    const other = byKey.get(key);
    byKey.set(key, other === undefined ? branch : together(other, branch));
  }
  return byKey;
}

function together(one: AwaitBranch, other: AwaitBranch): AwaitBranch {
  return {
    ...one,
    count: one.count + other.count,
    tasks: [...(one.tasks ?? []), ...(other.tasks ?? [])],
    children: [...one.children, ...other.children],
  };
}

/**
 * Whether it has gone on since the last dump: to another `await`, or to another
 * timer at the same one. Only of a single function can that be told: of
 * several, place and timer are those of any one.
 */
function hasMoved({ branch: earlier, seen }: Stand, branch: AwaitBranch, look: Look): boolean {
  if (branch.count !== 1 || earlier.count !== 1) return false;
  // When within a look a thread had its turn is not known.
  const sameTimerMs = SAME_TIMER_MS + seen.tookMs + look.tookMs;
  const [dueThen, dueNow] = [dueAt(earlier, seen), dueAt(branch, look)];
  if (dueThen !== undefined && dueNow !== undefined && Math.abs(dueNow - dueThen) > sameTimerMs) return true;
  if (earlier.at === null || branch.at === null) return false;
  return JSON.stringify(earlier.at) !== JSON.stringify(branch.at);
}

/** When the timer that it waits for is due, in ms since the epoch. */
function dueAt({ leaves }: AwaitBranch, { takenAt }: Look): number | undefined {
  const due = leaves.find(({ dueInMs }) => dueInMs !== undefined)?.dueInMs;
  return due === undefined ? undefined : Date.parse(takenAt) + due;
}

/** Tasks that were there before, too; `undefined`: there are tasks, and all of them are others. */
function sameTasks(branch: AwaitBranch, earlier: Stand | undefined): ReadonlyMap<string, TaskReference> | undefined {
  const tasks = tasksOf(branch);
  if (earlier === undefined || (tasks.size === 0 && earlier.tasks.size === 0)) return tasks;
  const same = [...tasks].filter(([key]) => earlier.tasks.has(key));
  return same.length === 0 ? undefined : new Map(same);
}

function tasksOf({ tasks = [] }: AwaitBranch): Map<string, TaskReference> {
  return new Map(tasks.map((task) => [`${task.attempt} ${task.id}`, task]));
}

function nextHandles({ handles }: ThreadInspection, before: ReadonlyMap<string, Rise>, now: string): Map<string, Rise> {
  const counts = new Map<string, number>();
  for (const { kind, count } of handles) counts.set(kind, (counts.get(kind) ?? 0) + count);
  return new Map([...counts].map(([kind, count]) => [kind, nextRise(before.get(kind), count, now)]));
}

function nextRise(before: Rise | undefined, count: number, now: string): Rise {
  if (before === undefined || count <= before.counts.at(-1)!) return { counts: [count], since: now };
  return { since: before.since, counts: [...before.counts, count].slice(-MAX_COUNTS) };
}

function isGrowing({ counts }: Rise): boolean {
  return counts.length >= GROWING_DUMPS;
}

interface Visited extends Stand {
  path: string[];
  /** The one task that it runs, or that is above it. */
  task: TaskReference | undefined;
  /** Whether nothing below it has stood, or grown, for as long: a chain is told of once. */
  innermost: { standing: boolean; growing: boolean };
}

function visit(
  stands: Stands,
  visitor: (visited: Visited) => void,
  above: { path: readonly string[]; task: TaskReference | undefined } = { path: [], task: undefined },
): void {
  for (const stand of stands.values()) {
    const { branch, tasks, since, rise, below } = stand;
    // What runs a task is holdfast's own: the task says more than its name.
    const path = [...above.path, branch.tasks?.length ? 'task' : branch.name];
    const task = branch.count === 1 && tasks.size === 1 ? [...tasks.values()][0] : above.task;
    const children = [...below.values()];
    const innermost = {
      standing: !children.some((child) => child.since === since),
      growing: !children.some((child) => child.rise.counts.length >= rise.counts.length),
    };
    visitor({ ...stand, path, task, innermost });
    visit(below, visitor, { path, task });
  }
}
