import type { HeapGraph, Reference } from '../../heap/heap-graph.js';

/** A step back: `reference` leads from `node` to `to`, which is that of the step before, or a start. */
export interface Way {
  node: number;
  reference: Reference;
  to: number;
  before: Way | undefined;
}

/** References that tell nothing of who uses an object. */
const NO_WAY: ReadonlySet<string> = new Set([
  'map',
  '__proto__',
  'scope_info',
  'feedback_cell',
  'shared',
  'code',
  'extension',
]);

/** Farther away, and after more objects, whoever is found has little to do with the start. */
const MAX_STEPS = 20;
const MAX_VISITED = 5_000;

/**
 * Goes back along what refers to what, the nearest first.
 *
 * @param passes whether to go on from there
 * @param isDone asked after all that is equally far
 */
export function walkBack(
  heap: HeapGraph,
  starts: readonly number[],
  passes: (way: Way) => boolean,
  isDone: () => boolean,
): void {
  const seen = new Set<number | string>(starts);
  let level: (Way | number)[] = [...starts];
  for (let step = 0; step < MAX_STEPS && level.length > 0 && !isDone(); step++) {
    const next: Way[] = [];
    for (const from of level) {
      const [node, before] = typeof from === 'number' ? [from, undefined] : [from.node, from];
      if (seen.size + heap.retainerCount(node) > MAX_VISITED) continue;
      for (const reference of heap.retainers(node)) {
        // Listeners of several events are in several properties of one object.
        const once =
          heap.kind(reference.node) === 'array' || reference.kind === 'property'
            ? `${reference.node}.${reference.name}`
            : reference.node;
        if (NO_WAY.has(reference.name) || seen.has(once)) continue;
        seen.add(once);
        const way = { node: reference.node, reference, to: node, before };
        if (passes(way)) next.push(way);
      }
    }
    level = next;
  }
}
