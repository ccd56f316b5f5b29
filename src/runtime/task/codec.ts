import { HoldfastError } from '../../base/errors.js';
import type { Encoded } from './task.js';
import {
  deserialize,
  getPrototypeOf,
  is,
  isArray,
  isFinite,
  jsonParse,
  jsonStringify,
  keys,
  objectPrototype,
  OwnError,
  serialize,
  stringOf,
} from '../thread/own.js';

/** Deeper than this, a value is left to the structured clone, which also knows cycles. */
const MAX_JSON_DEPTH = 100;

/**
 * With more values in it, a value is left to the structured clone as well. It
 * may be a few that refer to each other: JSON would write what is shared once
 * for each way that leads to it, so 30 nested pairs would never end.
 */
const MAX_JSON_VALUES = 1_000_000;

/** Larger arrays are not searched for properties: it would take 15 times as long as to write them. */
const MAX_SEARCHED_ARRAY = 1000;

/**
 * Turns a value into what travels and is stored: JSON text where JSON holds it
 * unchanged, so that the queue can be read with any SQLite tool; else the bytes
 * of V8's structured clone, so that Maps, Dates, BigInts, Buffers and cycles
 * survive. As in JSON, a property whose value is `undefined` may be left out,
 * and what is referred to twice may become two.
 *
 * Text is also the fast way: a batch of 500 small JSON texts passes between
 * threads twice as fast as the same values cloned one by one.
 *
 * @param what for the error: "the input" or "the result"
 * @throws HoldfastError ERR_VALUE_NOT_CLONEABLE for functions, symbols and the like
 */
export function encode(value: unknown, what: string): Encoded {
  // JSON would write the same, by way of a buffer of 50 bytes.
  if (typeof value === 'number' && isJson(value, 0)) return stringOf(value);
  valuesLeft = MAX_JSON_VALUES;
  if (isJson(value, 0)) return jsonStringify(value);
  try {
    return serialize(value);
  } catch (error) {
    throw notCloneable(error, what);
  }
}

function notCloneable(error: unknown, what: string): HoldfastError {
  // What clones works by recursion, and so does what decodes: a few thousand levels are the end.
  const isTooDeep = error instanceof RangeError;
  const why = isTooDeep ? 'it is nested too deep' : error instanceof OwnError ? error.message : stringOf(error);
  const hint = isTooDeep
    ? 'Pass plain data, as a list rather than as a chain.'
    : 'Pass plain data: no functions, symbols, promises or handles.';
  return new HoldfastError('ERR_VALUE_NOT_CLONEABLE', `${what} cannot travel between threads: ${why}`, {
    cause: error,
    hint,
  });
}

/** The value that `encode` was given. */
export function decode(encoded: Encoded): unknown {
  return typeof encoded === 'string' ? jsonParse(encoded) : deserialize(encoded);
}

/** How many more values the one that is being encoded may have. */
let valuesLeft = 0;

function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isFinite(value) && !is(value, -0);
    case 'object':
      if (value === null) return true;
      if (depth === MAX_JSON_DEPTH) return false;
      return isArray(value) ? isJsonArray(value, depth) : isJsonObject(value, depth);
    default:
      return false;
  }
}

function isJsonArray(array: readonly unknown[], depth: number): boolean {
  if ((valuesLeft -= array.length + 1) < 0) return false;
  // What `text.match()` gives has an `index` beside its elements.
  if (array.length <= MAX_SEARCHED_ARRAY && keys(array).length !== array.length) return false;
  for (let i = 0; i < array.length; i++) if (!isJson(array[i], depth + 1)) return false;
  return true;
}

function isJsonObject(object: object, depth: number): boolean {
  const prototype: unknown = getPrototypeOf(object);
  if (prototype !== objectPrototype && prototype !== null) return false;
  const names = keys(object);
  if ((valuesLeft -= names.length + 1) < 0) return false;
  for (let i = 0; i < names.length; i++) {
    const value = (object as Record<string, unknown>)[names[i]!];
    if (value !== undefined && !isJson(value, depth + 1)) return false;
  }
  return true;
}
