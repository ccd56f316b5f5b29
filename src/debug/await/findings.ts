import type { LeafKind, Step } from '../inspection.js';
import type { CodePlace } from '../heap/heap-graph.js';

/**
 * What the heap of a thread tells of what it awaits: plain data, so that it can
 * be found out in another thread. Objects are known by their heap id, which the
 * inspector takes (`HeapProfiler.getObjectByHeapObjectId`) and gives
 * (`HeapProfiler.getHeapObjectId`).
 */
export interface HeapFindings {
  /** Objects in the heap. */
  objects: number;
  /** Suspended functions. */
  suspended: number;
  branches: HeapBranch[];
}

/** See `AwaitBranch`. */
export interface HeapBranch {
  name: string;
  definedAt: CodePlace | undefined;
  via: Step[];
  count: number;
  /** Heap id of one of these functions: its `await` can be asked for. */
  sample: number;
  /**
   * Of functions of holdfast that run a task: heap ids of the `RunningTaskContext`s that they hold. What task that is,
   * the thread itself tells (`Symbol.for('holdfast.tasks')`): heaps without numbers do not tell all of it.
   */
  tasks: number[];
  omitted?: number;
  children: HeapBranch[];
  leaves: HeapLeaf[];
  circular: boolean;
}

/** See `Leaf`. */
export interface HeapLeaf {
  kind: LeafKind;
  count: number;
  via: Step[];
  className: string;
  /** Heap ids of the objects that are waited for, a few of them. */
  objects: number[];
  /** Of a timer, in ms of the thread's event loop (about `performance.now()`); of several, the one that is due first. */
  timer?: { startedAt: number; afterMs: number };
  event?: string;
  /** Of those that are alike but for their paths, that of one. */
  url?: string;
  path?: string;
  heldAs?: string;
  heldBy?: string;
  heldAt?: CodePlace;
}
