import type { HeapGraph } from '../heap/heap-graph.js';

/**
 * The promises of imports that go on when a module has run to its end: its
 * own, and those of modules that import it.
 *
 *   SourceTextModule ─▶ Promise, of the import that asked for it
 *   SourceTextModule ─▶ its importers, in the last of its lists
 *
 * @param context of the function by which V8 goes on
 */
export function importsOf(heap: HeapGraph, context: number): number[] {
  const found: number[] = [];
  const modules = heap.references(context).flatMap(({ node }) => (isModule(heap, node) ? [node] : []));
  for (const module of modules) {
    let importers: number | undefined;
    for (const { node, kind } of heap.references(module)) {
      if (kind !== 'hidden') continue;
      if (heap.kind(node) === 'object' && heap.name(node) === 'Promise') found.push(node);
      else if (heap.kind(node) === 'array' || heap.name(node) === 'system / ArrayList') importers = node;
    }
    for (const { node } of importers === undefined ? [] : heap.references(importers)) {
      if (isModule(heap, node) && !modules.includes(node)) modules.push(node);
    }
  }
  return found;
}

export function isModule(heap: HeapGraph, node: number): boolean {
  return heap.name(node) === 'system / SourceTextModule';
}
