import type { HeapGraph } from '../heap/heap-graph.js';
import { isPromise, waitersInTurn, waitersOf, type Waiter } from './promise-links.js';

/** That a promise is settled by what becomes of another one. */
export interface Source {
  how: Exclude<Waiter['how'], 'await'>;
  /** The other one. */
  promise: number;
}

/**
 * Which suspended functions there are, and what each waits for. Functions are
 * known by the object in which V8 keeps one while it is suspended.
 */
export class AwaitGraph {
  readonly heap: HeapGraph;
  /** Of each suspended function, the promise that it awaits; of one that is about to go on, itself. */
  readonly awaited = new Map<number, number>();
  /** Functions and promises that wait for nothing but their turn: what they awaited is settled. */
  readonly inTurn = new Set<number>();
  /** Of a promise, the suspended function that settles it when it returns. */
  readonly #owners = new Map<number, number>();
  readonly #sources = new Map<number, Source[]>();

  constructor(heap: HeapGraph) {
    this.heap = heap;
    for (const promise of heap.named('object', 'Promise')) {
      for (const waiter of waitersOf(heap, promise)) this.#link(promise, waiter);
    }
    for (const waiter of waitersInTurn(heap)) this.#markInTurn(waiter);
    for (const suspended of this.awaited.keys()) {
      for (const promise of ownPromises(heap, suspended)) this.#owners.set(promise, suspended);
    }
  }

  ownerOf(promise: number): number | undefined {
    return this.#owners.get(promise);
  }

  /** By which other promises it is settled; none: by whoever holds its resolver. */
  sourcesOf(promise: number): readonly Source[] {
    return this.#sources.get(promise) ?? [];
  }

  #markInTurn(waiter: Waiter): void {
    if (waiter.how !== 'await') this.inTurn.add(waiter.promise);
    else if (!this.awaited.has(waiter.suspended)) {
      this.awaited.set(waiter.suspended, waiter.suspended);
      this.inTurn.add(waiter.suspended);
    }
  }

  #link(promise: number, waiter: Waiter): void {
    if (waiter.how === 'await') {
      this.awaited.set(waiter.suspended, promise);
      return;
    }
    const sources = this.#sources.get(waiter.promise);
    if (sources === undefined) this.#sources.set(waiter.promise, [{ how: waiter.how, promise }]);
    else sources.push({ how: waiter.how, promise });
  }
}

/** An async function has one, from its start. An async generator has one for each `next()` that waits, in a queue of requests. */
function ownPromises(heap: HeapGraph, suspended: number): number[] {
  const found: number[] = [];
  const holders = [suspended];
  for (const holder of holders) {
    for (const { node, kind } of heap.references(holder)) {
      if (kind !== 'hidden') continue;
      if (isPromise(heap, node)) found.push(node);
      else if (heap.name(node) === 'system / AsyncGeneratorRequest') holders.push(node);
    }
  }
  return found;
}
