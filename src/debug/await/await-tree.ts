import type { HeapGraph } from '../heap/heap-graph.js';
import type { AwaitGraph } from './await-graph.js';
import { lookBelow, type Below } from './descend.js';
import type { HeapBranch, HeapLeaf } from './findings.js';
import type { LeafFinder } from './leaf/leaf-finder.js';
import { Shapes } from './shapes.js';
import { comparePlaces, suspendedFunction, tasksOf } from './suspended-function.js';
import { topsOf } from './tops.js';

/** Of several alike leaves, so many tell their objects. */
const MAX_OBJECTS = 20;

/** Of several alike functions that run tasks, so many tell theirs. */
const MAX_TASKS = 1_000;

/** Fewer levels than this are not left out. */
const MIN_OMITTED = 3;

/** Farther down, what waits for one thing alone is left out: chains may be 100,000 deep, and nothing reads such trees. */
const MAX_DEPTH = 100;

/**
 * Each suspended function below the one that awaits it; those that nobody
 * awaits on top. Alike ones are folded. Who runs a task of ours is on top as
 * well, and not below what carries tasks to it.
 */
export function awaitTree(graph: AwaitGraph, leaves: LeafFinder): HeapBranch[] {
  const below = new Map<number, readonly Below[]>();
  const tasks = new Map<number, readonly number[]>();
  for (const [suspended, promise] of graph.awaited) {
    below.set(suspended, lookBelow(graph, leaves, promise));
    const found = tasksOf(graph.heap, suspended);
    if (found.length > 0) tasks.set(suspended, found);
  }
  if (tasks.size > 0) {
    for (const [suspended, found] of below) {
      below.set(
        suspended,
        found.filter(({ suspended: child }) => child === undefined || !tasks.has(child)),
      );
    }
  }
  const tops = topsOf(graph.heap, below);
  const fold = new Fold(graph.heap, below, tasks, new Shapes(graph, below, leaves), leaves);
  return fold.branches(tops);
}

/** Like functions, and what is below them. */
interface Group {
  branch: HeapBranch;
  members: number[];
}

class Fold {
  readonly #heap: HeapGraph;
  readonly #below: ReadonlyMap<number, readonly Below[]>;
  readonly #tasks: ReadonlyMap<number, readonly number[]>;
  readonly #shapes: Shapes;
  readonly #leaves: LeafFinder;

  constructor(
    heap: HeapGraph,
    below: ReadonlyMap<number, readonly Below[]>,
    tasks: ReadonlyMap<number, readonly number[]>,
    shapes: Shapes,
    leaves: LeafFinder,
  ) {
    this.#heap = heap;
    this.#below = below;
    this.#tasks = tasks;
    this.#shapes = shapes;
    this.#leaves = leaves;
  }

  branches(tops: readonly number[]): HeapBranch[] {
    const root: HeapBranch[] = [];
    const top = this.#groups(tops.map((suspended) => ({ via: [], suspended, promise: 0 })));
    const waiting = [{ into: root, groups: top, depth: 0 }];
    while (waiting.length > 0) {
      const { into, groups, depth } = waiting.pop()!;
      for (const { branch, members } of groups) {
        into.push(branch);
        const below = this.#belowAll(members);
        branch.leaves = below.leaves;
        const children = this.#shownBelow(branch, below.groups, depth);
        if (children.length > 0) waiting.push({ into: branch.children, groups: children, depth: depth + 1 });
      }
      into.sort(byPlace);
    }
    return root;
  }

  /** What is below, or what is shown instead. */
  #shownBelow(branch: HeapBranch, below: Group[], depth: number): Group[] {
    let shown = below;
    let levels = 0;
    let omitted = 0;
    while (shown.length === 1 && this.#isOmitted(branch, shown[0]!, depth)) {
      const next = this.#belowAll(shown[0]!.members);
      // What waits for something else besides is told.
      if (next.groups.length !== 1 || next.leaves.length > 0) break;
      levels++;
      omitted += shown[0]!.members.length;
      shown = next.groups;
    }
    if (levels < MIN_OMITTED) return below;
    branch.omitted = omitted;
    return shown;
  }

  #isOmitted(above: HeapBranch, { branch }: Group, depth: number): boolean {
    if (branch.circular) return false;
    return depth >= MAX_DEPTH || (isSameFunction(above, branch) && branch.via.join() === above.via.join());
  }

  /** Each once, however many of the members wait for it; in a circle, nothing the second time. */
  #belowAll(members: readonly number[]): { groups: Group[]; leaves: HeapLeaf[] } {
    const children = new Map<number, Below>();
    const leaves = new Map<number, Below>();
    for (const member of members) {
      for (const one of this.#below.get(member)!) {
        if (one.suspended === undefined) leaves.set(one.promise, one);
        else if (!this.#shapes.circles.get(member)?.has(one.suspended)) children.set(one.suspended, one);
      }
    }
    return { groups: this.#groups(children.values()), leaves: this.#leavesOf(leaves.values()) };
  }

  #groups(all: Iterable<Below>): Group[] {
    const groups = new Map<string, Group>();
    for (const { via, suspended } of all) {
      const key = `${via.join()} ${this.#shapes.of(suspended!)}`;
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = { branch: this.#branchOf(suspended!, via), members: [] }));
      group.branch.count++;
      group.members.push(suspended!);
      for (const task of this.#tasks.get(suspended!) ?? []) {
        if (group.branch.tasks.length < MAX_TASKS) group.branch.tasks.push(task);
      }
    }
    return [...groups.values()];
  }

  #branchOf(suspended: number, via: Below['via']): HeapBranch {
    const { name, place } = suspendedFunction(this.#heap, suspended);
    return {
      name,
      definedAt: place,
      via: [...via],
      count: 0,
      sample: this.#heap.id(suspended),
      tasks: [],
      children: [],
      leaves: [],
      circular: this.#shapes.circles.has(suspended),
    };
  }

  #leavesOf(all: Iterable<Below>): HeapLeaf[] {
    const leaves = new Map<string, HeapLeaf>();
    for (const { via, promise } of all) {
      const { key, object, ...found } = this.#leaves.of(promise);
      const whole = `${via.join()} ${key}`;
      let leaf = leaves.get(whole);
      if (leaf === undefined) leaves.set(whole, (leaf = { ...found, count: 0, via: [...via], objects: [] }));
      leaf.count++;
      if (object !== undefined && leaf.objects.length < MAX_OBJECTS) leaf.objects.push(this.#heap.id(object));
      if (isSooner(found.timer, leaf.timer)) leaf.timer = found.timer!;
    }
    return [...leaves.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, leaf]) => leaf);
  }
}

function isSooner(one: HeapLeaf['timer'], other: HeapLeaf['timer']): boolean {
  if (one === undefined || other === undefined) return false;
  return one.startedAt + one.afterMs < other.startedAt + other.afterMs;
}

function isSameFunction(one: HeapBranch, other: HeapBranch): boolean {
  return one.name === other.name && comparePlaces(one.definedAt, other.definedAt) === 0;
}

/** Heaps have no order that could be shown: that of the code, then. */
function byPlace(one: HeapBranch, other: HeapBranch): number {
  return (
    comparePlaces(one.definedAt, other.definedAt) ||
    one.via.join().localeCompare(other.via.join()) ||
    other.count - one.count
  );
}
