import type { HeapBranch, HeapLeaf } from '../await/findings.js';
import type { AwaitBranch, Leaf, Step, TaskReference } from '../inspection.js';
import type { Scripts } from './scripts.js';

export interface BranchSettings {
  scripts: Scripts;
  /** Internals of Node and of holdfast are shown, too. */
  all: boolean;
  /** Words for a leaf. */
  leafOf(leaf: HeapLeaf): Leaf;
  /** Tasks by the heap id of their context. */
  tasks: ReadonlyMap<number, TaskReference>;
}

/** A branch as it is shown, and the heap id of the function whose `await` can be asked for. */
export interface ShownBranch {
  branch: AwaitBranch;
  sample: number;
  children: ShownBranch[];
}

/** By its name the function is found that waits for the look itself. */
const INSPECT_SELF = 'inspectSelf';

/**
 * What is shown of the branches: what internals wait for hangs on whoever waits
 * for them. Without recursion, as chains may be 100,000 deep.
 */
export function shownBranches(branches: readonly HeapBranch[], settings: BranchSettings): ShownBranch[] {
  const tops: ShownBranch[] = [];
  // What nobody of the program waits for is not shown.
  const waiting = [{ branches, via: [] as readonly Step[], into: { children: tops, leaves: [] as Leaf[] } }];
  while (waiting.length > 0) {
    const { branches, via, into } = waiting.pop()!;
    for (const heapBranch of branches) {
      const path = [...via, ...heapBranch.via];
      if (!settings.all && isInternal(heapBranch, settings.scripts)) {
        // Whoever asks for the look is waiting for it.
        if (heapBranch.name === INSPECT_SELF) into.leaves.push(thisLook(heapBranch.count, path));
        else {
          into.leaves.push(...leavesOf(heapBranch.leaves, path, settings));
          waiting.push({ branches: heapBranch.children, via: path, into });
        }
        continue;
      }
      const own = leavesOf(heapBranch.leaves, [], settings);
      const shown: ShownBranch = {
        sample: heapBranch.sample,
        children: [],
        branch: {
          name: heapBranch.name,
          count: heapBranch.count,
          at: null,
          definedAt: (heapBranch.definedAt && settings.scripts.placeOf(heapBranch.definedAt)) ?? null,
          via: path,
          ...(heapBranch.tasks.length > 0 && { tasks: tasksOf(heapBranch, settings.tasks) }),
          ...(heapBranch.omitted !== undefined && { omitted: heapBranch.omitted }),
          children: [],
          leaves: own,
          circular: heapBranch.circular,
        },
      };
      into.children.push(shown);
      waiting.push({ branches: heapBranch.children, via: [], into: { children: shown.children, leaves: own } });
    }
  }
  link(tops);
  return tops;
}

/** Suspended functions in these branches. Those below several others are counted once for each. */
export function countOf(branches: readonly ShownBranch[]): number {
  let count = 0;
  const waiting = [...branches];
  while (waiting.length > 0) {
    const { branch, children } = waiting.pop()!;
    count += branch.count + (branch.omitted ?? 0);
    waiting.push(...children);
  }
  return count;
}

/** Puts each branch together, once all that hangs on it is known. */
function link(all: readonly ShownBranch[]): void {
  const waiting = [...all];
  while (waiting.length > 0) {
    const { branch, children } = waiting.pop()!;
    branch.leaves = folded(branch.leaves);
    branch.children = children.map((child) => child.branch);
    waiting.push(...children);
  }
}

function leavesOf(leaves: readonly HeapLeaf[], via: readonly Step[], settings: BranchSettings): Leaf[] {
  return leaves.map((leaf) => settings.leafOf({ ...leaf, via: [...via, ...leaf.via] }));
}

/** Those that read the same but for when they are due are one, due with the first. */
function folded(leaves: readonly Leaf[]): Leaf[] {
  const alike = new Map<string, Leaf>();
  for (const leaf of leaves) {
    const { count: _count, dueInMs: _due, what, ...rest } = leaf;
    const key = JSON.stringify(leaf.dueInMs === undefined ? [what, rest] : rest);
    const known = alike.get(key);
    if (known === undefined) {
      alike.set(key, { ...leaf });
      continue;
    }
    const first = (leaf.dueInMs ?? 0) < (known.dueInMs ?? 0) ? leaf : known;
    alike.set(key, { ...first, count: known.count + leaf.count });
  }
  return [...alike.values()];
}

/** The oldest first. One that has ended since the heap was written is not known any more. */
function tasksOf({ tasks }: HeapBranch, known: ReadonlyMap<number, TaskReference>): TaskReference[] {
  const found = tasks.flatMap((context) => known.get(context) ?? []);
  return found.sort((one, other) => other.ageMs - one.ageMs);
}

/** Functions that run a task are shown as the task. Those whose script is not known are V8's own. */
function isInternal({ definedAt, tasks }: HeapBranch, scripts: Scripts): boolean {
  return tasks.length === 0 && (definedAt === undefined || scripts.isInternal(definedAt));
}

function thisLook(count: number, via: Step[]): Leaf {
  return { kind: 'this look', count, via, what: 'this very look' };
}
