/** What only Node and V8 do: promises to whose end no listener leads. */
import type { HeapGraph } from '../../heap/heap-graph.js';
import { urlOfFetch } from './request-url.js';
import type { Settler } from './settler.js';
import { kindOf } from './object-kinds.js';

/** Settled by native code: by the object that has it. */
export function nativeSettler(heap: HeapGraph, promise: number): Settler | undefined {
  for (const { node, kind } of heap.retainers(promise)) {
    if (heap.retainers(node).some(({ name }) => name === 'atomics_waitasync_promises')) return { what: 'notification' };
    const thing = kind === 'property' ? kindOf(heap.name(node)) : undefined;
    if (thing !== undefined) return { what: 'thing', kind: thing, object: node };
  }
  return undefined;
}

/** What `fetch` gives is settled by callbacks of its own; nothing leads from them to a socket. It is known by its variables. */
export function fetchSettler(heap: HeapGraph, holder: Settler): Settler | undefined {
  if (holder.what !== 'variable') return undefined;
  const [controller, aborted, request] = ['controller', 'locallyAborted', 'request'].map((name) =>
    heap.target(holder.context, 'context', name),
  );
  if (controller === undefined || aborted === undefined) return undefined;
  const url = request === undefined ? undefined : urlOfFetch(heap, request);
  return { what: 'thing', kind: 'http request', object: controller, url };
}

/** By which `WeakRef` each object is held. So the timer of `AbortSignal.timeout()` holds the signal. */
export function weakHolders(heap: HeapGraph): Map<number, number> {
  const holders = new Map<number, number>();
  for (const weak of heap.named('object', 'WeakRef')) {
    const target = heap.target(weak, 'weak', 'target');
    if (target !== undefined) holders.set(target, weak);
  }
  return holders;
}
