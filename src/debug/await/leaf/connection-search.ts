import type { HeapGraph } from '../../heap/heap-graph.js';
import { isPromise } from '../promise-links.js';
import { emitterOf } from './events.js';
import { BOOKKEEPING, CELL, isCollection, isGlobal, isPlumbing, isVariable, variableOf } from './passing.js';
import type { Settler } from './settler.js';
import { isConnection, kindOf, rankOf } from './object-kinds.js';
import type { Variables } from './variables.js';
import { walkBack, type Way } from './walk-back.js';

const THIS: ReadonlySet<string> = new Set(['this', 'self', 'that', '_this', '_self']);

/**
 * Looks for what an object, or a collection, is told answers through: whose
 * listeners have it as their `this`, or see it as a variable. All that waits
 * there waits for the same, so each is asked once.
 */
export class ConnectionSearch {
  readonly #heap: HeapGraph;
  readonly #variables: Variables;
  readonly #isSuspended: (node: number) => boolean;
  readonly #found = new Map<number, Settler | undefined>();

  constructor(heap: HeapGraph, variables: Variables, isSuspended: (node: number) => boolean) {
    this.#heap = heap;
    this.#variables = variables;
    this.#isSuspended = isSuspended;
  }

  /** @param holder whose object, or whose variable's value, is asked for */
  of(holder: Settler): Settler | undefined {
    const start = holder.what === 'property' ? holder.object : holder.what === 'variable' ? holder.value : undefined;
    if (start === undefined || this.#heap.kind(start) !== 'object' || isGlobal(this.#heap.name(start)))
      return undefined;
    if (!this.#found.has(start)) this.#found.set(start, this.#from(start));
    return this.#found.get(start);
  }

  #from(start: number): Settler | undefined {
    let found: Settler | undefined;
    const passes = (way: Way): boolean => {
      const { node } = way;
      const [kind, name] = [this.#heap.kind(node), this.#heap.name(node)];
      if (name === CELL) return true;
      if (BOOKKEEPING.has(kind) || found !== undefined) return false;
      if (isVariable(way, name)) {
        const { name, value } = variableOf(this.#heap, way);
        const isOwn = THIS.has(name) || isCollection(this.#heap, value) || this.#heap.kind(value) === 'closure';
        return isOwn && this.#variables.tellWhoUsesThem(node);
      }
      const event = emitterOf(this.#heap, way);
      const object = event?.emitter ?? node;
      const thing = kindOf(this.#heap.name(object));
      // Through a failure, or an end, no answer comes.
      if (thing !== undefined && isConnection(thing) && rankOf(thing, event?.event) <= 0)
        found = { what: 'thing', kind: thing, object, event: event?.event };
      if (thing !== undefined || event !== undefined) return false;
      if (isPlumbing(way, kind, name)) return true;
      return kind === 'object' && !this.#isSuspended(node) && !isPromise(this.#heap, node) && !isGlobal(name);
    };
    walkBack(this.#heap, [start], passes, () => found !== undefined);
    return found;
  }
}
