import type { CodePlace } from '../heap/heap-graph.js';
import type { AwaitGraph } from './await-graph.js';
import type { Step } from '../inspection.js';

/** Suspended functions that are alike: of the same function, reached in the same way, with alike ones below them. */
export interface AwaitNode {
  /** `''` for one without a name. */
  name: string;
  /** Where the function is written, not where it waits: see `members`. */
  place: CodePlace | undefined;
  /** By which steps what is above waits for these: `Promise.all`, `then`, … ; from above to below. */
  via: readonly Step[];
  /** Objects of the heap, one for each; the place of the `await` can be asked of any. */
  members: number[];
  /** What they wait for: other suspended functions. */
  children: AwaitNode[];
  /** Promises they wait for that no suspended function settles. */
  leaves: number[];
  /** Whether they wait, in the end, for themselves. */
  circular: boolean;
}

/** A suspended function, or a leaf, below another one. */
interface Below {
  via: readonly Step[];
  suspended: number | undefined;
  promise: number;
}

/** Each suspended function below the one that awaits it; those that nobody awaits on top. Alike ones are folded. */
export function awaitTree(graph: AwaitGraph): AwaitNode[] {
  const below = new Map<number, Below[]>();
  const awaitedBySome = new Set<number>();
  for (const [suspended, promise] of graph.awaited) {
    const found = lookBelow(graph, promise);
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
  const shapes = new Shapes(graph, below);
  return shapes.fold(tops.map((suspended) => ({ via: [], suspended, promise: graph.awaited.get(suspended)! })));
}

function reach(top: number, below: ReadonlyMap<number, Below[]>, reached: Set<number>): void {
  const waiting = [top];
  while (waiting.length > 0) {
    const suspended = waiting.pop()!;
    if (reached.has(suspended)) continue;
    reached.add(suspended);
    for (const { suspended: child } of below.get(suspended)!) if (child !== undefined) waiting.push(child);
  }
}

/** From a promise down to the suspended functions that settle it, or to promises that none does. */
function lookBelow(graph: AwaitGraph, awaited: number): Below[] {
  const found: Below[] = [];
  const seen = new Set<number>();
  const waiting: { promise: number; via: readonly Step[] }[] = [{ promise: awaited, via: [] }];
  while (waiting.length > 0) {
    const { promise, via } = waiting.pop()!;
    if (seen.has(promise)) continue;
    seen.add(promise);
    const suspended = graph.ownerOf(promise);
    const sources = graph.sourcesOf(promise);
    if (suspended !== undefined || sources.length === 0) {
      found.push({ via, suspended, promise });
      continue;
    }
    for (const { how, promise: source } of sources.toReversed()) {
      const step: Step = how === 'then' || how === 'adopted' ? how : `Promise.${how}`;
      waiting.push({ promise: source, via: [...via, step] });
    }
  }
  return found;
}

/** Finds out which suspended functions are alike. Worked through from below, without recursion: chains may be long. */
class Shapes {
  readonly #graph: AwaitGraph;
  readonly #below: ReadonlyMap<number, Below[]>;
  /** Of each suspended function the number of its shape; the same for those that are alike. */
  readonly #shapes = new Map<number, number>();
  readonly #numbers = new Map<string, number>();
  readonly #circular = new Set<number>();

  constructor(graph: AwaitGraph, below: ReadonlyMap<number, Below[]>) {
    this.#graph = graph;
    this.#below = below;
    for (const suspended of below.keys()) this.#shape(suspended);
  }

  fold(all: readonly Below[]): AwaitNode[] {
    const root: AwaitNode[] = [];
    const waiting = [{ into: root, all }];
    while (waiting.length > 0) {
      const { into, all } = waiting.pop()!;
      const groups = new Map<string, AwaitNode>();
      const children = new Map<AwaitNode, Below[]>();
      for (const { via, suspended } of all) {
        if (suspended === undefined) continue;
        const key = `${via.join()} ${this.#shapes.get(suspended)}`;
        let node = groups.get(key);
        if (node === undefined) {
          groups.set(key, (node = this.#nodeOf(suspended, via)));
          children.set(node, []);
          into.push(node);
        } else node.members.push(suspended);
        const below = this.#below.get(suspended)!;
        for (const { suspended: child, promise } of below) if (child === undefined) node.leaves.push(promise);
        // Below alike ones is the like: in a circle, nothing is shown below the second time.
        if (!node.circular) children.get(node)!.push(...below.filter(({ suspended: child }) => child !== undefined));
      }
      for (const [node, below] of children) if (below.length > 0) waiting.push({ into: node.children, all: below });
    }
    return root;
  }

  #nodeOf(suspended: number, via: readonly Step[]): AwaitNode {
    const { heap } = this.#graph;
    const fn = heap.target(suspended, 'internal', 'function');
    return {
      name: fn === undefined ? '' : heap.name(fn),
      place: fn === undefined ? undefined : heap.place(fn),
      via,
      members: [suspended],
      children: [],
      leaves: [],
      circular: this.#circular.has(suspended),
    };
  }

  #shape(top: number): void {
    const path = new Set<number>();
    const waiting = [top];
    while (waiting.length > 0) {
      const suspended = waiting.at(-1)!;
      if (this.#shapes.has(suspended)) {
        waiting.pop();
        continue;
      }
      path.add(suspended);
      const below = this.#below.get(suspended)!;
      const open = below.filter(({ suspended: child }) => child !== undefined && !this.#shapes.has(child));
      const next = open.filter(({ suspended: child }) => !path.has(child!));
      if (next.length > 0) {
        waiting.push(...next.map(({ suspended: child }) => child!));
        continue;
      }
      if (open.length > 0) this.#circular.add(suspended);
      this.#shapes.set(suspended, this.#numberOf(suspended, below));
      path.delete(suspended);
      waiting.pop();
    }
  }

  #numberOf(suspended: number, below: readonly Below[]): number {
    const fn = this.#graph.heap.target(suspended, 'internal', 'function');
    const { scriptId, line, column } = (fn !== undefined && this.#graph.heap.place(fn)) || {
      scriptId: 0,
      line: 0,
      column: 0,
    };
    const children = below.map(
      ({ via, suspended: child }) => `${via.join()} ${child === undefined ? '-' : (this.#shapes.get(child) ?? '~')}`,
    );
    const key = `${scriptId}:${line}:${column} ${[...new Set(children)].sort().join(';')}`;
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#numbers.size));
    return number;
  }
}
