import type { HeapGraph } from '../../heap/heap-graph.js';
import type { Way } from './walk-back.js';

/**
 * The emitter whose listeners a way has come to, and the event. Asked right
 * there: all events of an emitter hang on one object, which a way comes to once.
 */
export function emitterOf(heap: HeapGraph, way: Way): { emitter: number; event: string } | undefined {
  const { node, reference } = way;
  // Of an EventEmitter: an object with a property for each event.
  if (reference.kind === 'property') {
    if (heap.name(node) !== 'Object') return undefined;
    const emitter = heap.retainers(node).find(({ name }) => name === '_events')?.node;
    return emitter === undefined ? undefined : { emitter, event: eventName(reference.name) };
  }
  // Of an EventTarget: a Map from each event to a list. V8 keeps the key right before the value.
  if (heap.kind(node) !== 'array') return undefined;
  const map = heap.retainers(node).find(({ name }) => name === 'table')?.node;
  const emitter = map && heap.retainers(map).find(({ name }) => name === '<symbol kEvents>')?.node;
  if (emitter === undefined) return undefined;
  const key = heap.target(node, 'internal', String(Number(reference.name) - 1));
  return key === undefined ? undefined : { emitter, event: eventName(heap.name(key)) };
}

/** Snapshots say `<symbol x>` where programs say `Symbol(x)`. */
function eventName(name: string): string {
  return name.replace(/^<symbol (.*)>$/, 'Symbol($1)');
}
