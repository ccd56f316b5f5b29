/**
 * What our code in a thread calls, taken before the module of handlers is
 * loaded: whatever a handler puts into the place of a builtin is its own.
 *
 * What reads the iterator of an array (`for … of`, spreading, taking it apart),
 * or calls a method by its name, is not used in a thread while tasks run there.
 */
import { format as nodeFormat, inspect as nodeInspect, types } from 'node:util';
import v8 from 'node:v8';
import worker from 'node:worker_threads';

/** A method as a function whose first argument is what it is called on. */
function uncurried<This, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
): (on: This, ...args: Args) => Result {
  return Function.prototype.call.bind(method) as (on: This, ...args: Args) => Result;
}

function getterOf(prototype: object, name: string): () => unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}

export const {
  add: atomicsAdd,
  exchange: atomicsExchange,
  load: atomicsLoad,
  store: atomicsStore,
  wait: atomicsWait,
} = Atomics;

export const performanceNow = performance.now.bind(performance);
export const { parse: jsonParse, stringify: jsonStringify } = JSON;
export const { defineProperty, getPrototypeOf, hasOwn, is, keys } = Object;
export const ownDescriptors = Object.getOwnPropertyDescriptors;
export const { isArray } = Array;
export const { isFinite } = Number;
export const { apply } = Reflect;
export const { min } = Math;
export const objectPrototype = Object.prototype;
export const stringOf = String;
export const sliceOf = uncurried(String.prototype.slice);
export const getFrom = uncurried(Map.prototype.get) as <Key, Value>(
  map: ReadonlyMap<Key, Value>,
  key: Key,
) => Value | undefined;
export const OwnError = Error;
export const OwnPromise = Promise;
export const OwnAbortController = AbortController;
export const OwnDOMException = DOMException;
export const OwnFloat64Array = Float64Array;
export const signalOf = uncurried(getterOf(AbortController.prototype, 'signal') as () => AbortSignal);
export const abortedOf = uncurried(getterOf(AbortSignal.prototype, 'aborted') as () => boolean);
export const abortWith = uncurried(AbortController.prototype.abort);
export const setImmediateOf = setImmediate;
export const nextTick = process.nextTick.bind(process);
export const workingDirectory = process.cwd.bind(process);
export const inspect = nodeInspect;
export const format = nodeFormat;
export const { isNativeError } = types;
export const { deserialize, getHeapStatistics, serialize } = v8;
export const { receiveMessageOnPort } = worker;
