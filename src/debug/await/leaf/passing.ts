/** What a way passes on from one thing to the next, and what is nothing by itself. */
import type { HeapGraph } from '../../heap/heap-graph.js';
import type { Settler } from './settler.js';
import type { Way } from './walk-back.js';

/** Kinds of nodes in which V8 keeps what objects have. Snapshots tell it of the objects as well. */
export const BOOKKEEPING: ReadonlySet<string> = new Set(['hidden', 'code', 'synthetic', 'object shape', 'native']);

/** In which Node 26 keeps some variables. */
export const CELL = 'system / ContextCell';

/** What has no meaning of its own: collections, and what Node keeps listeners and the like in. */
const COLLECTIONS: ReadonlySet<string> = new Set(['Object', 'Array', 'Map', 'Set', 'WeakMap', '']);
const CONTAINERS_OF_NODE: ReadonlySet<string> = new Set([
  'FixedQueue',
  'FixedCircularBuffer',
  'Listener',
  'DefaultReadRequest',
  'ReadableStreamAsyncIteratorReadRequest',
  // A function that has the listener as a property: of `port.onmessage = …`.
  'eventHandler',
]);

/** The variable from which a way has come to a context. */
export function variableOf(heap: HeapGraph, { node, reference, to, before }: Way): Settler & { what: 'variable' } {
  // Those of blocks have no names in snapshots.
  const name = reference.kind === 'context' ? reference.name : '';
  return { what: 'variable', context: node, name, value: heap.name(to) === CELL && before ? before.to : to };
}

export function isCollection(heap: HeapGraph, node: number): boolean {
  return heap.kind(node) === 'object' && COLLECTIONS.has(heap.name(node));
}

/** Whether what is in it is meant wherever it is itself. */
export function isContainer(heap: HeapGraph, { node, before }: Way): boolean {
  const name = heap.name(node);
  if (isCollection(heap, node) || CONTAINERS_OF_NODE.has(name)) return true;
  // Many a class has that name: that of web streams is known by what is in it.
  if (name !== 'Queue') return false;
  for (let way = before; way !== undefined; way = way.before) {
    if (heap.name(way.node).endsWith('ReadRequest')) return true;
  }
  return false;
}

/** Whether a way has come from a variable to the function, block, module or script that has it. */
export function isVariable({ reference }: Way, name: string): boolean {
  return name.startsWith('system / ') && name.includes('Context') && reference.name !== 'previous';
}

/** What passes on without being anything itself. */
export function isPlumbing({ reference }: Way, kind: string, name: string): boolean {
  if (reference.name === 'previous') return true;
  if (kind === 'array') return !name.startsWith('(object');
  return kind === 'closure' && (reference.name === 'context' || reference.name.startsWith('bound'));
}

/** Node 26 says `global (global)` where others say `global`. */
export function isGlobal(className: string): boolean {
  return /^global\b/.test(className);
}
