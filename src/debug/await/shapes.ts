import type { AwaitGraph } from './await-graph.js';
import type { Below } from './descend.js';
import type { LeafFinder } from './leaf/leaf-finder.js';
import { suspendedFunction } from './suspended-function.js';

/**
 * Finds out which suspended functions are alike: of the same function, waiting
 * in the same way for what is alike. Worked through from below, without
 * recursion: chains may be long.
 */
export class Shapes {
  /** Of those that wait, in the end, for themselves: below them, where the circle closes. */
  readonly circles = new Map<number, ReadonlySet<number>>();
  readonly #graph: AwaitGraph;
  readonly #below: ReadonlyMap<number, readonly Below[]>;
  readonly #leaves: LeafFinder;
  /** Of each suspended function the number of its shape; the same for those that are alike. */
  readonly #shapes = new Map<number, number>();
  readonly #numbers = new Map<string, number>();

  constructor(graph: AwaitGraph, below: ReadonlyMap<number, readonly Below[]>, leaves: LeafFinder) {
    this.#graph = graph;
    this.#below = below;
    this.#leaves = leaves;
  }

  /** Of a circle, the function that is asked for first is the first. */
  of(suspended: number): number {
    let shape = this.#shapes.get(suspended);
    if (shape === undefined) {
      this.#shape(suspended);
      shape = this.#shapes.get(suspended)!;
    }
    return shape;
  }

  #shape(top: number): void {
    // Those below which the search is; what it is done with has a shape.
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
      const closing = new Set<number>();
      let isNew = false;
      for (const { suspended: child } of below) {
        if (child === undefined || this.#shapes.has(child)) continue;
        if (path.has(child)) {
          closing.add(child);
          continue;
        }
        isNew = true;
        waiting.push(child);
      }
      if (isNew) continue;
      if (closing.size > 0) this.circles.set(suspended, closing);
      this.#shapes.set(suspended, this.#numberOf(suspended, below));
      waiting.pop();
    }
  }

  #numberOf(suspended: number, below: readonly Below[]): number {
    const { name, place } = suspendedFunction(this.#graph.heap, suspended);
    const children = new Set<string>();
    for (const { via, suspended: child, promise } of below) {
      const what = child === undefined ? this.#leaves.of(promise).key : (this.#shapes.get(child) ?? '~');
      children.add(`${via.join()} ${what}`);
    }
    const written = place === undefined ? '' : `${place.scriptId}:${place.line}:${place.column}`;
    const key = `${name} ${written} ${[...children].sort().join(';')}`;
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#numbers.size));
    return number;
  }
}
