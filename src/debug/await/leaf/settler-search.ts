import type { HeapGraph } from '../../heap/heap-graph.js';
import type { LeafKind } from '../../inspection.js';
import { isPromise, settlerKind } from '../promise-links.js';
import { emitterOf } from './events.js';
import { isConnection, isLock, kindOf, rankOf } from './things.js';
import type { Variables } from './variables.js';
import { walkBack, type Way } from './walk-back.js';

/** What settles a promise, or who holds the functions that do. */
export type Settler =
  | { what: 'thing'; kind: LeafKind; object: number; event?: string | undefined }
  /** Another thread, that has to call `Atomics.notify`. */
  | { what: 'notification' }
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

/** In which Node 26 keeps some variables. */
const CELL = 'system / ContextCell';

/** What has no meaning of its own: collections, and what Node keeps listeners and the like in. */
const COLLECTIONS: ReadonlySet<string> = new Set(['Object', 'Array', 'Map', 'Set', 'WeakMap', '']);
const CONTAINERS_OF_NODE: ReadonlySet<string> = new Set([
  'FixedQueue',
  'FixedCircularBuffer',
  'Listener',
  'DefaultReadRequest',
  'ReadableStreamAsyncIteratorReadRequest',
  // Functions that have the listener as a property: of `once`, and of `port.onmessage = …`.
  'native_bind',
  'eventHandler',
]);

const THIS: ReadonlySet<string> = new Set(['this', 'self', 'that', '_this', '_self']);

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
    const { found, holder } =
      [Resolve, Reject].map((start) => this.#near(start)).find(({ found, holder }) => found ?? holder) ?? {};
    if (found !== undefined && found.rank <= 0) return found.settler;
    const special = found ? this.#timerOfSignal(found.settler) : holder && this.#fetch(holder);
    if (special !== undefined) return special;
    // Whoever is in turn, or is told something, is waited for longer than a timer that gives up.
    const better = holder && (this.#isLock(holder) ? holder : this.#connectionOf(holder));
    return better ?? found?.settler ?? holder ?? this.#native(promise);
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
        const variable = this.#variable(way);
        const goesOn = !this.#isCollection(variable.value) && this.#variables.tellWhoUsesThem(node);
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
      if (isPlumbing(way, kind, name) || this.#isContainer(way)) return true;
      if (this.#isSuspended(node)) {
        if (reference.name !== 'context') holders.suspended ??= { what: 'suspended', suspended: node };
      } else if (reference.kind === 'property')
        holders.property ??= { what: 'property', object: node, name: reference.name };
      return false;
    };
    walkBack(this.#heap, settlers, passes, () => found !== undefined && found.rank <= 0);
    return { found, holder: holders.property ?? holders.variable ?? holders.suspended ?? holders.passed };
  }

  /** Settled by native code: by the object that has it. */
  #native(promise: number): Settler | undefined {
    for (const { node, kind } of this.#heap.retainers(promise)) {
      if (this.#heap.retainers(node).some(({ name }) => name === 'atomics_waitasync_promises'))
        return { what: 'notification' };
      const thing = kind === 'property' ? kindOf(this.#heap.name(node)) : undefined;
      if (thing !== undefined) return { what: 'thing', kind: thing, object: node };
    }
    return undefined;
  }

  /** Of an `AbortSignal.timeout()`. Its timer holds it weakly. */
  #timerOfSignal(settler: Settler): Settler | undefined {
    if (settler.what !== 'thing' || settler.event !== 'abort') return undefined;
    for (const weak of this.#heap.named('object', 'WeakRef')) {
      if (this.#heap.target(weak, 'weak', 'target') !== settler.object) continue;
      const { found } = this.#near([weak]);
      if (found?.settler.what === 'thing' && found.settler.kind === 'timer') return found.settler;
    }
    return undefined;
  }

  /** What `fetch` gives is settled by callbacks of its own; nothing leads from them to a socket. It is known by its variables. */
  #fetch(holder: Settler): Settler | undefined {
    if (holder.what !== 'variable') return undefined;
    const [controller, aborted] = ['controller', 'locallyAborted'].map((name) =>
      this.#heap.target(holder.context, 'context', name),
    );
    return controller === undefined || aborted === undefined
      ? undefined
      : { what: 'thing', kind: 'http request', object: controller };
  }

  #isLock(holder: Settler): boolean {
    return holder.what === 'property' && isLock(this.#heap.name(holder.object));
  }

  /** Through what the holder is most likely to be told something. */
  #connectionOf(holder: Settler): Settler | undefined {
    const start = holder.what === 'property' ? holder.object : holder.what === 'variable' ? holder.value : undefined;
    if (start === undefined || this.#heap.kind(start) !== 'object' || isGlobal(this.#heap.name(start)))
      return undefined;
    if (!this.#connections.has(start)) this.#connections.set(start, this.#connectionFrom(start));
    return this.#connections.get(start);
  }

  #connectionFrom(start: number): Settler | undefined {
    let found: Settler | undefined;
    const passes = (way: Way): boolean => {
      const { node } = way;
      const [kind, name] = [this.#heap.kind(node), this.#heap.name(node)];
      if (name === CELL) return true;
      if (BOOKKEEPING.has(kind) || found !== undefined) return false;
      if (isVariable(way, name)) {
        const { name, value } = this.#variable(way);
        const isOwn = THIS.has(name) || this.#isCollection(value) || this.#heap.kind(value) === 'closure';
        return isOwn && this.#variables.tellWhoUsesThem(node);
      }
      const event = emitterOf(this.#heap, way);
      const object = event?.emitter ?? node;
      const thing = kindOf(this.#heap.name(object));
      if (thing !== undefined && isConnection(thing))
        found = { what: 'thing', kind: thing, object, event: event?.event };
      if (thing !== undefined || event !== undefined) return false;
      if (isPlumbing(way, kind, name)) return true;
      return kind === 'object' && !this.#isSuspended(node) && !isPromise(this.#heap, node) && !isGlobal(name);
    };
    walkBack(this.#heap, [start], passes, () => found !== undefined);
    return found;
  }

  #variable({ node, reference, before }: Way): Settler & { what: 'variable' } {
    // Those of blocks have no names in snapshots.
    const name = reference.kind === 'context' ? reference.name : '';
    const held = before !== undefined && this.#heap.name(before.node) === CELL ? before.before : before;
    const value = held?.node ?? node;
    return { what: 'variable', context: node, name, value };
  }

  #isCollection(node: number): boolean {
    return this.#heap.kind(node) === 'object' && COLLECTIONS.has(this.#heap.name(node));
  }

  #isContainer({ node, before }: Way): boolean {
    const name = this.#heap.name(node);
    if (this.#isCollection(node) || CONTAINERS_OF_NODE.has(name)) return true;
    // Many a class has that name: that of web streams is known by what is in it.
    if (name !== 'Queue') return false;
    for (let way = before; way !== undefined; way = way.before) {
      if (this.#heap.name(way.node).endsWith('ReadRequest')) return true;
    }
    return false;
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

/** Of several events of one object, the same one is told each time: heaps have no order. */
function isEarlierEvent(one: Settler, other: Settler): boolean {
  if (one.what !== 'thing' || other.what !== 'thing' || one.object !== other.object) return false;
  return one.event !== undefined && (other.event === undefined || one.event < other.event);
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

/** Node 26 says `global (global)` where others say `global`. */
export function isGlobal(className: string): boolean {
  return /^global\b/.test(className);
}
