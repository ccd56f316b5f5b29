/**
 * Who waits for a promise, as V8 keeps it:
 *
 *   Promise ─reactions_or_result▶ PromiseReaction ─▶ next PromiseReaction …
 *   PromiseReaction ─▶ handlers (functions), and the promise that they settle
 *
 * What a handler is for tells the name of its code. That of an `await` has a
 * context whose `extension` is the suspended function; those of `Promise.all`
 * and its kind have one that leads to the promise they were called for. The
 * names are the same in Node 20, 22, 24 and 26.
 */
import type { HeapGraph } from '../heap/heap-graph.js';
import { importsOf } from './module-links.js';

type Combinator = 'all' | 'allSettled' | 'any' | 'race';

/** What goes on when a promise is settled. */
export type Waiter =
  /** A suspended function goes on. */
  | { how: 'await'; suspended: number }
  /** Another promise is settled, or may be. `same`: nobody wrote that step. */
  | { how: 'then' | 'adopted' | 'same' | Combinator; promise: number };

const AWAIT = /^Async(Function|Generator)\w*(Resolve|Reject)Closure$/;
const COMBINATORS: readonly [RegExp, Combinator][] = [
  [/^PromiseAllSettled\w+ElementClosure$/, 'allSettled'],
  [/^PromiseAll\w+ElementClosure$/, 'all'],
  [/^PromiseAny\w+ElementClosure$/, 'any'],
];
const JOBS = ['Fulfill', 'Reject'].map((how) => `system / Promise${how}ReactionJobTask`);
const FROM_SYNC_ITERATOR = /^Async(FromSync)?Iterator/;
const MODULE = /^CallAsyncModuleFulfilled$/;
const RESOLVER = /^PromiseCapabilityDefault(Resolve|Reject)$/;

export function isPromise(graph: HeapGraph, node: number): boolean {
  return graph.kind(node) === 'object' && graph.name(node) === 'Promise';
}

/** Whether a function resolves or rejects a promise. */
export function settlerKind(graph: HeapGraph, closure: number): 'Resolve' | 'Reject' | undefined {
  return RESOLVER.exec(builtinOf(graph, closure))?.[1] as 'Resolve' | 'Reject' | undefined;
}

/** The promise that a function settles, if it is one of those that do. */
function settles(graph: HeapGraph, closure: number): number | undefined {
  return settlerKind(graph, closure) === undefined ? undefined : promiseInContext(graph, closure);
}

/** Of a promise that is pending; one that is settled has none. */
export function waitersOf(graph: HeapGraph, promise: number): Waiter[] {
  const waiters: Waiter[][] = [];
  let reaction = graph.target(promise, 'internal', 'reactions_or_result');
  while (reaction !== undefined && isReaction(graph, reaction)) {
    const { found, next } = readReaction(graph, reaction);
    waiters.push(found);
    reaction = next;
  }
  // V8 puts the last one first.
  return waiters.reverse().flat();
}

/** What goes on when a job in the queue of microtasks is done. V8 keeps the like of a reaction for it. */
export function waitersInTurn(graph: HeapGraph): Waiter[] {
  return JOBS.flatMap((job) => [...graph.named('hidden', job)]).flatMap((job) => readReaction(graph, job).found);
}

function readReaction(graph: HeapGraph, reaction: number): { found: Waiter[]; next: number | undefined } {
  let next: number | undefined;
  let derived: number | undefined;
  const handlers: number[] = [];
  for (const { node } of graph.references(reaction)) {
    if (graph.kind(node) === 'closure') handlers.push(node);
    else if (isReaction(graph, node)) next = node;
    else if (isPromise(graph, node)) derived = node;
    else if (isCapability(graph, node)) derived = promiseAmong(graph, node);
  }
  const modules = handlers.find((handler) => MODULE.test(builtinOf(graph, handler)));
  if (modules !== undefined) {
    const context = graph.target(modules, 'internal', 'context');
    const imports = context === undefined ? [] : importsOf(graph, context);
    return { found: imports.map((promise) => ({ how: 'same', promise })), next };
  }
  const waiter = waiterOf(graph, handlers, derived);
  return { found: waiter === undefined ? [] : [waiter], next };
}

function waiterOf(graph: HeapGraph, handlers: readonly number[], derived: number | undefined): Waiter | undefined {
  for (const handler of handlers) {
    const builtin = builtinOf(graph, handler);
    if (AWAIT.test(builtin)) {
      const context = graph.target(handler, 'internal', 'context');
      const suspended = context === undefined ? undefined : graph.target(context, 'internal', 'extension');
      if (suspended !== undefined) return { how: 'await', suspended };
    }
  }
  for (const handler of handlers) {
    const builtin = builtinOf(graph, handler);
    const combinator = COMBINATORS.find(([name]) => name.test(builtin))?.[1];
    const promise = combinator && promiseInContext(graph, handler);
    if (combinator && promise !== undefined) return { how: combinator, promise };
  }
  for (const handler of handlers) {
    const promise = settles(graph, handler);
    // `Promise.race` calls `then`, which makes another promise that nobody wants.
    if (promise !== undefined) return { how: derived === undefined ? 'adopted' : 'race', promise };
  }
  if (derived === undefined) return undefined;
  // V8 adopts without calling `then`: there is nothing to call, and the promise that follows.
  const callback = handlers.at(-1);
  if (callback === undefined) return { how: 'adopted', promise: derived };
  // `for await` over promises awaits what V8 makes of each of them.
  return { how: FROM_SYNC_ITERATOR.test(builtinOf(graph, callback)) ? 'same' : 'then', promise: derived };
}

/** Of a function that is built in: its name; of any other one `''`. */
function builtinOf(graph: HeapGraph, closure: number): string {
  const code = graph.target(closure, 'internal', 'code');
  return (code === undefined ? undefined : /^\((\w+) builtin/.exec(graph.name(code))?.[1]) ?? '';
}

function promiseInContext(graph: HeapGraph, closure: number): number | undefined {
  const context = graph.target(closure, 'internal', 'context');
  return context === undefined ? undefined : promiseAmong(graph, context);
}

/** The promise that an object refers to, itself or through a capability. */
function promiseAmong(graph: HeapGraph, node: number): number | undefined {
  for (const { node: target } of graph.references(node)) {
    if (isPromise(graph, target)) return target;
    if (isCapability(graph, target)) return promiseAmong(graph, target);
  }
  return undefined;
}

function isReaction(graph: HeapGraph, node: number): boolean {
  return graph.name(node) === 'system / PromiseReaction';
}

function isCapability(graph: HeapGraph, node: number): boolean {
  return graph.name(node) === 'system / PromiseCapability';
}
