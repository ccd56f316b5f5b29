import type { HeapGraph } from '../heap/heap-graph.js';
import type { Below } from './descend.js';
import { comparePlaces, suspendedFunction } from './suspended-function.js';

/** The suspended functions that no other one waits for; of those in a circle, the one that is written first. */
export function topsOf(heap: HeapGraph, below: ReadonlyMap<number, readonly Below[]>): number[] {
  const awaitedBySome = new Set<number>();
  for (const found of below.values()) {
    for (const { suspended: child } of found) if (child !== undefined) awaitedBySome.add(child);
  }
  const tops = [...below.keys()].filter((suspended) => !awaitedBySome.has(suspended));
  const reached = new Set<number>();
  for (const top of tops) reach(top, below, reached);
  const rest = [...below.keys()].filter((suspended) => !reached.has(suspended));
  const places = new Map(rest.map((suspended) => [suspended, suspendedFunction(heap, suspended).place]));
  for (const suspended of rest.sort((one, other) => comparePlaces(places.get(one), places.get(other)))) {
    if (reached.has(suspended)) continue;
    tops.push(suspended);
    reach(suspended, below, reached);
  }
  return tops;
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
