import type { AwaitGraph } from './await-graph.js';
import { lookBelow, type Below } from './below.js';
import type { HeapBranch, HeapLeaf } from './findings.js';
import type { LeafFinder } from './leaf/leaf-finder.js';
import { Shapes } from './shapes.js';

/** Of several alike leaves, so many tell their objects. */
const MAX_OBJECTS = 20;

/** Each suspended function below the one that awaits it; those that nobody awaits on top. Alike ones are folded. */
export function awaitTree(graph: AwaitGraph, leaves: LeafFinder): HeapBranch[] {
  const below = new Map<number, Below[]>();
  const awaitedBySome = new Set<number>();
  for (const [suspended, promise] of graph.awaited) {
    const found = lookBelow(graph, leaves, promise);
    below.set(suspended, found);
    for (const { suspended: child } of found) if (child !== undefined) awaitedBySome.add(child);
  }
  const tops = [...graph.awaited.keys()].filter((suspended) => !awaitedBySome.has(suspended));
  const reached = new Set<number>();
  for (const top of tops) reach(top, below, reached);
  // Those that wait for each other in a circle have none on top: any will do.
  for (const suspended of graph.awaited.keys()) {
    if (reached.has(suspended)) continue;
    tops.push(suspended);
    reach(suspended, below, reached);
  }
  return new Fold(graph, below, leaves).branches(tops);
}

function reach(top: number, below: ReadonlyMap<number, readonly Below[]>, reached: Set<number>): void {
  const waiting = [top];
  while (waiting.length > 0) {
    const suspended = waiting.pop()!;
    if (reached.has(suspended)) continue;
    reached.add(suspended);
    for (const { suspended: child } of below.get(suspended)!) if (child !== undefined) waiting.push(child);
  }
}

class Fold {
  readonly #graph: AwaitGraph;
  readonly #below: ReadonlyMap<number, readonly Below[]>;
  readonly #leaves: LeafFinder;
  readonly #shapes: Shapes;

  constructor(graph: AwaitGraph, below: ReadonlyMap<number, readonly Below[]>, leaves: LeafFinder) {
    this.#graph = graph;
    this.#below = below;
    this.#leaves = leaves;
    this.#shapes = new Shapes(graph, below, leaves);
  }

  branches(tops: readonly number[]): HeapBranch[] {
    const root: HeapBranch[] = [];
    const waiting: { into: HeapBranch[]; all: readonly Below[] }[] = [
      { into: root, all: tops.map((suspended) => ({ via: [], suspended, promise: 0 })) },
    ];
    while (waiting.length > 0) {
      const { into, all } = waiting.pop()!;
      for (const [branch, members] of this.#group(all)) {
        into.push(branch);
        const children: Below[] = [];
        const leaves: Below[] = [];
        for (const member of members) {
          for (const one of this.#below.get(member)!) (one.suspended === undefined ? leaves : children).push(one);
        }
        branch.leaves = this.#leavesOf(leaves);
        // Below alike ones is the like: in a circle, nothing is shown below the second time.
        if (!branch.circular && children.length > 0) waiting.push({ into: branch.children, all: children });
      }
    }
    return root;
  }

  #group(all: readonly Below[]): [HeapBranch, number[]][] {
    const groups = new Map<string, [HeapBranch, number[]]>();
    for (const { via, suspended } of all) {
      const key = `${via.join()} ${this.#shapes.of(suspended!)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [this.#branchOf(suspended!, via), [suspended!]]);
      else {
        group[0].count++;
        group[1].push(suspended!);
      }
    }
    return [...groups.values()];
  }

  #branchOf(suspended: number, via: Below['via']): HeapBranch {
    const { heap } = this.#graph;
    const fn = heap.target(suspended, 'internal', 'function');
    return {
      name: fn === undefined ? '' : heap.name(fn),
      definedAt: fn === undefined ? undefined : heap.place(fn),
      via: [...via],
      count: 1,
      sample: heap.id(suspended),
      tasks: [],
      children: [],
      leaves: [],
      circular: this.#shapes.circular.has(suspended),
    };
  }

  #leavesOf(all: readonly Below[]): HeapLeaf[] {
    const leaves = new Map<string, HeapLeaf>();
    for (const { via, promise } of all) {
      const { key, object, ...found } = this.#leaves.of(promise);
      const whole = `${via.join()} ${key}`;
      let leaf = leaves.get(whole);
      if (leaf === undefined) leaves.set(whole, (leaf = { ...found, count: 0, via: [...via], objects: [] }));
      leaf.count++;
      if (object !== undefined && leaf.objects.length < MAX_OBJECTS) leaf.objects.push(this.#graph.heap.id(object));
      if (isSooner(found.timer, leaf.timer)) leaf.timer = found.timer!;
    }
    return [...leaves.values()];
  }
}

function isSooner(one: HeapLeaf['timer'], other: HeapLeaf['timer']): boolean {
  if (one === undefined || other === undefined) return false;
  return one.startedAt + one.afterMs < other.startedAt + other.afterMs;
}
