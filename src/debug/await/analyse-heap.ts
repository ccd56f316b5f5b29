import { HeapGraph } from '../heap/heap-graph.js';
import { readSnapshotFile } from '../heap/snapshot-file.js';
import { AwaitGraph } from './await-graph.js';
import { awaitTree } from './await-tree.js';
import type { HeapFindings } from './findings.js';
import { LeafFinder } from './leaf/leaf-finder.js';

/**
 * What a heap snapshot tells of what its thread awaits.
 *
 * Synchronous: a heap of three million objects takes seconds.
 *
 * @param snapshotPath as `v8.writeHeapSnapshot(path, { exposeNumericValues: true })` writes it; without the
 *   option, timers do not tell when they are due
 * @throws Error when the file is no heap snapshot, or is cut off
 */
export function analyseHeap(snapshotPath: string): HeapFindings {
  const heap = new HeapGraph(readSnapshotFile(snapshotPath));
  const graph = new AwaitGraph(heap);
  const leaves = new LeafFinder(heap, graph);
  return { objects: heap.size, suspended: graph.awaited.size, branches: awaitTree(graph, leaves) };
}
