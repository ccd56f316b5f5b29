import type { CodePlace, HeapGraph } from '../heap/heap-graph.js';

/** What a class is not: of `this` in these, nothing is told. */
const NO_CLASS = /^(|Object|Array|Module|global\b.*)$/;

/** A suspended function, as it is shown. */
export interface SuspendedFunction {
  /** `Class.method` where it was called as one, `(module)` for the code of a module outside of all functions; `''`: it has none. */
  name: string;
  /** Where it is written. */
  place: CodePlace | undefined;
}

export function suspendedFunction(heap: HeapGraph, suspended: number): SuspendedFunction {
  const fn = heap.target(suspended, 'internal', 'function');
  const place = fn === undefined ? undefined : heap.place(fn);
  const name = fn === undefined ? '' : heap.name(fn);
  if (name === '') return { name: place?.line === 0 && place.column === 0 ? '(module)' : '', place };
  const self = heap.target(suspended, 'internal', 'receiver');
  const isObject = self !== undefined && (heap.kind(self) === 'object' || heap.kind(self) === 'closure');
  const className = isObject ? heap.name(self) : '';
  return { name: NO_CLASS.test(className) ? name : `${className}.${name}`, place };
}

/** Heap ids of the tasks' contexts that a function of holdfast holds; of any other function none. */
export function tasksOf(heap: HeapGraph, suspended: number): number[] {
  const fn = heap.target(suspended, 'internal', 'function');
  const registers = heap.target(suspended, 'internal', 'parameters_and_registers');
  if (fn === undefined || registers === undefined || heap.name(fn) !== RUNS_TASK) return [];
  return heap.references(registers).flatMap(({ node }) => (heap.name(node) === TASK_CONTEXT ? [heap.id(node)] : []));
}

/** In `src/runtime/thread`: the method of `Lane` that waits for a handler, and the class of what it has of the task. */
const RUNS_TASK = '#settle';
const TASK_CONTEXT = 'RunningTaskContext';

/** In the order of the code. */
export function comparePlaces(one: CodePlace | undefined, other: CodePlace | undefined): number {
  if (one === undefined || other === undefined) return (one ? 1 : 0) - (other ? 1 : 0);
  return one.scriptId - other.scriptId || one.line - other.line || one.column - other.column;
}
