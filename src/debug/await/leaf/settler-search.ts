import type { HeapGraph } from '../../heap/heap-graph.js';
import type { LeafKind } from '../../inspection.js';
import { isPromise, settlerKind } from '../promise-links.js';
import { eventOf } from './events.js';
import { isConnection, isLock, kindOf, rankOf } from './things.js';
import type { Variables } from './variables.js';
import { walkBack, type Way } from './walk-back.js';

/** What settles a promise, or who holds the functions that do. */
export type Settler =
  | { what: 'thing'; kind: LeafKind; object: number; event?: string | undefined }
  /** They are called when another promise is settled. */
  | { what: 'promise'; promise: number }
  /** A property of an object holds them, or what holds them. */
  | { what: 'property'; object: number; name: string }
  /** A variable, likewise. `name`: `''` where it is not known; `value`: what the variable has. */
  | { what: 'variable'; context: number; name: string; value: number }
  /** A suspended function has them, as an argument. */
  | { what: 'suspended'; suspended: number };

/** Kinds of nodes in which V8 keeps what objects have. Snapshots tell it of the objects as well. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['hidden', 'code', 'synthetic', 'object shape', 'native']);

/** What has no meaning of its own: collections, and classes of Node in which it keeps listeners and the like. */
const CONTAINERS: ReadonlySet<string> = new Set(['Object', 'Array', 'Map', 'Set', 'WeakMap', '']);
const CONTAINERS_OF_NODE: ReadonlySet<string> = new Set(['FixedQueue', 'FixedCircularBuffer', 'Listener']);

const THIS: ReadonlySet<string> = new Set(['this', 'self', 'that', '_this', '_self']);

/**
 * Looks for what settles promises. Near them, what holds the functions that do
 * so will call them. Beyond an object of some class, or a collection in a
 * variable, other things are held that have nothing to do with the promise.
 */
export class SettlerSearch {
  readonly #heap: HeapGraph;
  readonly #variables: Variables;
  readonly #isSuspended: (node: number) => boolean;
  /** What answers come through, of objects that were asked for. */
  readonly #connections = new Map<number, Settler | undefined>();

  constructor(heap: HeapGraph, variables: Variables, isSuspended: (node: number) => boolean) {
    this.#heap = heap;
    this.#variables = variables;
    this.#isSuspended = isSuspended;
  }

  /** `undefined`: nobody that can be told. */
  of(promise: number): Settler | undefined {
    const { Resolve, Reject } = this.#settlersOf(promise);
    const near = this.#near(Resolve) ?? this.#near(Reject) ?? this.#native(promise);
    if (near?.what === 'property' && !isLock(this.#heap.name(near.object)))
      return this.#connectionOf(near.object) ?? near;
    if (near?.what === 'variable' && this.#isContainer(near.value)) return this.#connectionOf(near.value) ?? near;
    return near;
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

  #near(settlers: readonly number[]): Settler | undefined {
    let found: { settler: Settler; rank: number } | undefined;
    let holder: Settler | undefined;
    const keep = (settler: Settler, rank: number): false => {
      if (found === undefined || rank < found.rank) found = { settler, rank };
      return false;
    };
    const hold = (settler: Settler): false => {
      holder ??= settler;
      return false;
    };
    let passing: Settler | undefined;
    const passes = (way: Way): boolean => {
      const { node, reference } = way;
      const [kind, name] = [this.#heap.kind(node), this.#heap.name(node)];
      if (name === 'system / PromiseReaction') {
        const promise = this.#promiseOf(way);
        return promise !== undefined && keep({ what: 'promise', promise }, 0);
      }
      if (BOOKKEEPING.has(kind)) return false;
      if (isVariable(way, name)) {
        const variable = this.#variable(way);
        const isOfNode = CONTAINERS_OF_NODE.has(this.#heap.name(variable.value));
        if ((isOfNode || !this.#isContainer(variable.value)) && this.#variables.tellWhoUsesThem(node)) {
          passing ??= variable;
          return true;
        }
        return hold(variable);
      }
      if (isPlumbing(way, kind, name)) return true;
      if (this.#isSuspended(node)) return reference.name !== 'context' && hold({ what: 'suspended', suspended: node });
      const event = eventOf(this.#heap, way);
      const thing = kindOf(name) ?? (event === undefined ? undefined : 'event');
      if (thing !== undefined) return keep({ what: 'thing', kind: thing, object: node, event }, rankOf(thing, event));
      if (this.#isContainer(node)) return true;
      if (reference.kind === 'property') return hold({ what: 'property', object: node, name: reference.name });
      return false;
    };
    walkBack(this.#heap, settlers, passes, () => found?.rank === 0);
    return found?.settler ?? holder ?? passing;
  }

  /** Settled by native code: by the object that has it. */
  #native(promise: number): Settler | undefined {
    for (const { node, kind } of this.#heap.retainers(promise)) {
      const thing = kind === 'property' ? kindOf(this.#heap.name(node)) : undefined;
      if (thing !== undefined) return { what: 'thing', kind: thing, object: node };
    }
    return undefined;
  }

  /** Through what an object, or a collection, is most likely to be told something. */
  #connectionOf(start: number): Settler | undefined {
    if (this.#connections.has(start)) return this.#connections.get(start);
    let found: Settler | undefined;
    const passes = (way: Way): boolean => {
      const { node } = way;
      const [kind, name] = [this.#heap.kind(node), this.#heap.name(node)];
      if (BOOKKEEPING.has(kind) || found !== undefined) return false;
      if (isVariable(way, name)) {
        const variable = this.#variable(way);
        const isOwn =
          THIS.has(variable.name) || this.#isContainer(variable.value) || this.#heap.kind(variable.value) === 'closure';
        return isOwn && this.#variables.tellWhoUsesThem(node);
      }
      if (isPlumbing(way, kind, name)) return true;
      if (this.#isSuspended(node) || isPromise(this.#heap, node) || name.startsWith('global')) return false;
      const thing = kindOf(name);
      if (thing === undefined) return kind === 'object';
      if (isConnection(thing)) found = { what: 'thing', kind: thing, object: node, event: eventOf(this.#heap, way) };
      return false;
    };
    walkBack(this.#heap, [start], passes, () => found !== undefined);
    this.#connections.set(start, found);
    return found;
  }

  #variable({ node, reference, before }: Way): Settler & { what: 'variable' } {
    // Those of blocks have no names in snapshots.
    const name = reference.kind === 'context' ? reference.name : '';
    const value = before?.node ?? node;
    return { what: 'variable', context: node, name, value };
  }

  #isContainer(node: number): boolean {
    const name = this.#heap.name(node);
    return this.#heap.kind(node) === 'object' && (CONTAINERS.has(name) || CONTAINERS_OF_NODE.has(name));
  }

  /** The promise that calls a function when it is settled. */
  #promiseOf({ node, before }: Way): number | undefined {
    if (before !== undefined && this.#heap.kind(before.node) !== 'closure') return undefined;
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

/** Whether a way has come from a variable to the function, block, module or script that has it. */
function isVariable({ reference }: Way, name: string): boolean {
  return name.startsWith('system / ') && name.includes('Context') && reference.name !== 'previous';
}

/** What passes on without being anything itself. */
function isPlumbing({ reference }: Way, kind: string, name: string): boolean {
  if (reference.name === 'previous') return true;
  if (kind === 'array') return !name.startsWith('(object');
  return kind === 'closure' && (reference.name === 'context' || reference.name.startsWith('bound'));
}
