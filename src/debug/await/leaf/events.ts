import type { HeapGraph } from '../../heap/heap-graph.js';
import type { Way } from './walk-back.js';

/** The event whose listeners a way goes through, if `way` has come to the emitter. */
export function eventOf(heap: HeapGraph, way: Way): string | undefined {
  const { name } = way.reference;
  // Of an EventEmitter: an object with a property for each event.
  if (name === '_events') return way.before?.reference.name;
  // Of an EventTarget: a Map from each event to a list.
  if (name === '<symbol kEvents>') return keyOf(heap, way.before?.before);
  // Of a MessagePort and its like, a handler that is set as a property.
  return undefined;
}

/** The key of a Map at whose value a way comes to its table. V8 keeps it right before the value. */
function keyOf(heap: HeapGraph, table: Way | undefined): string | undefined {
  const index = Number(table?.reference.name);
  const key = Number.isInteger(index) ? heap.target(table!.node, 'internal', String(index - 1)) : undefined;
  return key === undefined ? undefined : heap.name(key);
}
