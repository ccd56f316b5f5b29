import type { HeapGraph } from '../../heap/heap-graph.js';
import { isPromise, settlerKind } from '../promise-links.js';
import { ConnectionSearch } from './connection-search.js';
import { emitterOf } from './events.js';
import { fetchSettler, nativeSettler, weakHolders } from './node-internals.js';
import { BOOKKEEPING, CELL, isCollection, isContainer, isPlumbing, isVariable, variableOf } from './passing.js';
import type { Settler } from './settler.js';
import { isLock, kindOf, rankOf } from './object-kinds.js';
import type { Variables } from './variables.js';
import { walkBack, type Way } from './walk-back.js';

interface Found {
  settler: Settler;
  /** See `rankOf`. */
  rank: number;
}

/**
 * Looks for what settles promises. Near them, what holds the functions that do
 * so will call them. Beyond an object of some class, or a collection in a
 * variable, other things are held that have nothing to do with the promise.
 */
export class SettlerSearch {
  readonly #heap: HeapGraph;
  readonly #variables: Variables;
  readonly #isSuspended: (node: number) => boolean;
  readonly #connections: ConnectionSearch;
  #weakHolders: ReadonlyMap<number, number> | undefined;

  constructor(heap: HeapGraph, variables: Variables, isSuspended: (node: number) => boolean) {
    this.#heap = heap;
    this.#variables = variables;
    this.#isSuspended = isSuspended;
    this.#connections = new ConnectionSearch(heap, variables, isSuspended);
  }

  /** `undefined`: nobody that can be told. */
  of(promise: number): Settler | undefined {
    const { Resolve, Reject } = this.#settlersOf(promise);
    const { found, holder } =
      [Resolve, Reject].map((start) => this.#near(start)).find(({ found, holder }) => found ?? holder) ?? {};
    if (found !== undefined && found.rank <= 0) return found.settler;
    const special = found ? this.#timerOfSignal(found.settler) : holder && fetchSettler(this.#heap, holder);
    if (special !== undefined) return special;
    // Whoever is in turn, or is told something, is waited for longer than a timer that gives up.
    const better = holder && (this.#isLock(holder) ? holder : this.#connections.of(holder));
    return better ?? found?.settler ?? holder ?? nativeSettler(this.#heap, promise);
  }

  #settlersOf(promise: number): Record<'Resolve' | 'Reject', number[]> {
    const found: Record<'Resolve' | 'Reject', number[]> = { Resolve: [], Reject: [] };
    for (const { node: context } of this.#heap.retainers(promise)) {
      if (this.#heap.name(context) !== 'system / Context') continue;
      for (const { node: closure, name } of this.#heap.retainers(context)) {
        const does = name === 'context' ? settlerKind(this.#heap, closure) : undefined;
        if (does !== undefined) found[does].push(closure);
      }
    }
    return found;
  }

  #near(settlers: readonly number[]): { found?: Found | undefined; holder?: Settler | undefined } {
    let found: Found | undefined;
    const holders: { [What in Settler['what'] | 'passed']?: Settler } = {};
    const keep = (settler: Settler, rank: number): void => {
      if (found === undefined || rank < found.rank || (rank === found.rank && isEarlierEvent(settler, found.settler))) {
        found = { settler, rank };
      }
    };
    const passes = (way: Way): boolean => {
      const { node, reference } = way;
      const [kind, name] = [this.#heap.kind(node), this.#heap.name(node)];
      if (name === 'system / PromiseReaction') {
        const promise = this.#promiseOf(way);
        if (promise !== undefined) keep({ what: 'promise', promise }, 0);
        return false;
      }
      if (name === CELL) return true;
      if (BOOKKEEPING.has(kind)) return false;
      if (isVariable(way, name)) {
        const variable = variableOf(this.#heap, way);
        const goesOn = !isCollection(this.#heap, variable.value) && this.#variables.tellWhoUsesThem(node);
        holders[goesOn ? 'passed' : 'variable'] ??= variable;
        return goesOn;
      }
      const event = emitterOf(this.#heap, way);
      const object = event?.emitter ?? node;
      const thing = kindOf(this.#heap.name(object)) ?? (event === undefined ? undefined : 'event');
      if (thing !== undefined) {
        keep({ what: 'thing', kind: thing, object, event: event?.event }, rankOf(thing, event?.event));
        return false;
      }
      if (isPlumbing(way, kind, name) || isContainer(this.#heap, way)) return true;
      if (this.#isSuspended(node)) holders.suspended ??= { what: 'suspended', suspended: node };
      else if (reference.kind === 'property')
        holders.property ??= { what: 'property', object: node, name: reference.name };
      return false;
    };
    walkBack(this.#heap, settlers, passes, () => found !== undefined && found.rank <= 0);
    return { found, holder: holders.property ?? holders.variable ?? holders.suspended ?? holders.passed };
  }

  /** Of an `AbortSignal.timeout()`. Its timer holds it weakly. */
  #timerOfSignal(settler: Settler): Settler | undefined {
    if (settler.what !== 'thing' || settler.event !== 'abort') return undefined;
    this.#weakHolders ??= weakHolders(this.#heap);
    const weak = this.#weakHolders.get(settler.object);
    const timer = weak === undefined ? undefined : this.#near([weak]).found?.settler;
    return timer?.what === 'thing' && timer.kind === 'timer' ? timer : undefined;
  }

  #isLock(holder: Settler): boolean {
    return holder.what === 'property' && isLock(this.#heap.name(holder.object));
  }

  /** The promise that calls a function when it is settled. */
  #promiseOf({ node, to }: Way): number | undefined {
    if (this.#heap.kind(to) !== 'closure') return undefined;
    let at: number | undefined = node;
    while (at !== undefined) {
      const user: { node: number } | undefined = this.#heap
        .retainers(at)
        .find(({ node: from }) => isPromise(this.#heap, from) || this.#heap.name(from) === 'system / PromiseReaction');
      if (user !== undefined && isPromise(this.#heap, user.node)) return user.node;
      at = user?.node;
    }
    return undefined;
  }
}

/** Of several events of one object, the same one is told each time: heaps have no order. */
function isEarlierEvent(one: Settler, other: Settler): boolean {
  if (one.what !== 'thing' || other.what !== 'thing' || one.object !== other.object) return false;
  return one.event !== undefined && (other.event === undefined || one.event < other.event);
}
