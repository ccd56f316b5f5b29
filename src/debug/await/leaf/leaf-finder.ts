import type { HeapGraph } from '../../heap/heap-graph.js';
import type { AwaitGraph } from '../await-graph.js';
import type { HeapLeaf } from '../findings.js';
import { isGlobal } from './passing.js';
import { originOf, urlOfClientRequest } from './request-url.js';
import type { Settler } from './settler.js';
import { SettlerSearch } from './settler-search.js';
import { isLock } from './object-kinds.js';
import { Variables } from './variables.js';

/** Requests to so many different origins are told to whom they go. */
const MAX_ORIGINS = 50;

/** What a promise waits for that no suspended function settles. */
export interface FoundLeaf extends Omit<HeapLeaf, 'count' | 'via' | 'objects'> {
  /** The object that will settle it; of a bare promise, the one that holds its resolver. */
  object: number | undefined;
  /** Leaves that are alike have the same. */
  key: string;
}

type Leaf = Omit<FoundLeaf, 'key'>;

/** Finds out what promises wait for, each once. */
export class LeafFinder {
  readonly #heap: HeapGraph;
  readonly #inTurn: ReadonlySet<number>;
  readonly #variables: Variables;
  readonly #search: SettlerSearch;
  readonly #settlers = new Map<number, Settler | undefined>();
  readonly #origins = new Set<string>();
  readonly #found = new Map<number, FoundLeaf>();

  constructor(heap: HeapGraph, { awaited, inTurn }: Pick<AwaitGraph, 'awaited' | 'inTurn'>) {
    this.#heap = heap;
    this.#inTurn = inTurn;
    this.#variables = new Variables(heap, awaited.keys());
    this.#search = new SettlerSearch(heap, this.#variables, (node) => awaited.has(node));
  }

  /** Another promise whose callback settles this one. */
  promiseBelow(promise: number): number | undefined {
    const settler = this.#settlerOf(promise);
    return settler?.what === 'promise' ? settler.promise : undefined;
  }

  of(promise: number): FoundLeaf {
    let found = this.#found.get(promise);
    if (found === undefined) {
      const leaf = this.#leafOf(this.#settlerOf(promise));
      this.#found.set(promise, (found = { ...leaf, key: keyOf(leaf) }));
    }
    return found;
  }

  #settlerOf(promise: number): Settler | undefined {
    if (!this.#settlers.has(promise)) this.#settlers.set(promise, this.#find(promise));
    return this.#settlers.get(promise);
  }

  #find(promise: number): Settler | undefined {
    return this.#inTurn.has(promise) ? { what: 'turn' } : this.#search.of(promise);
  }

  #leafOf(settler: Settler | undefined): Leaf {
    const bare = { kind: 'promise', object: undefined, className: '' } as const;
    switch (settler?.what) {
      case 'thing': {
        const { kind, object, event } = settler;
        const timer = kind === 'timer' ? this.#timerOf(object) : undefined;
        const className = this.#heap.name(object);
        const url = this.#boundedUrl(settler.url ?? this.#urlOf(object));
        return {
          kind,
          object,
          className,
          ...(event !== undefined && { event }),
          ...(timer && { timer }),
          ...(url !== undefined && { url }),
        };
      }
      case 'turn':
        return { ...bare, kind: 'microtask' };
      case 'notification':
        return { ...bare, kind: 'lock', heldBy: 'Atomics.waitAsync' };
      case 'property': {
        const { object, name } = settler;
        const className = this.#heap.name(object);
        const heldBy = isGlobal(className) ? 'globalThis' : className;
        if (isLock(heldBy)) return { kind: 'lock', object, className: heldBy, heldAs: name, heldBy };
        return { ...bare, object, heldAs: name, heldBy };
      }
      case 'variable': {
        const heldAt = this.#variables.place(settler.context);
        return { ...bare, ...(settler.name !== '' && { heldAs: settler.name }), ...(heldAt && { heldAt }) };
      }
      case 'suspended': {
        const heldAt = this.#heap.place(settler.suspended);
        return { ...bare, ...(heldAt && { heldAt }) };
      }
      default:
        return bare;
    }
  }

  #urlOf(object: number): string | undefined {
    return this.#heap.name(object) === 'ClientRequest' ? urlOfClientRequest(this.#heap, object) : undefined;
  }

  /** None beyond so many origins: each has branches of its own. */
  #boundedUrl(url: string | undefined): string | undefined {
    if (url === undefined) return undefined;
    const origin = originOf(url);
    if (this.#origins.size < MAX_ORIGINS) this.#origins.add(origin);
    return this.#origins.has(origin) ? url : undefined;
  }

  #timerOf(node: number): HeapLeaf['timer'] {
    const [startedAt, afterMs] = ['_idleStart', '_idleTimeout'].map((property) => {
      const value = this.#heap.target(node, 'property', property);
      return value === undefined ? undefined : this.#heap.number(value);
    });
    return startedAt === undefined || afterMs === undefined ? undefined : { startedAt, afterMs };
  }
}

function keyOf({ kind, className, event, url, heldAs, heldBy, heldAt }: Leaf): string {
  const place = heldAt && [heldAt.scriptId, heldAt.line, heldAt.column].join(':');
  return JSON.stringify([kind, className, event, url && originOf(url), heldAs, heldBy, place]);
}
