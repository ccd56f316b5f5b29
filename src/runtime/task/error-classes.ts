import { getPrototypeOf, hasOwn } from '../thread/own.js';

/** Classes of the language and of the platform whose errors are told apart by class. */
const CLASSES = {
  AggregateError,
  DOMException,
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

export type ErrorClass = keyof typeof CLASSES;

/** A Proxy may have ancestors without end. */
const MAX_ANCESTORS = 100;

/** The class that an error of this name is taken to be of. */
export function classOfName(name: string): ErrorClass {
  return hasOwn(CLASSES, name) && name !== 'DOMException' ? (name as ErrorClass) : 'Error';
}

/**
 * The nearest class of the language that an error is of. By name, as those of
 * another realm (`node:vm`) are other functions.
 */
export function classOf(error: object): ErrorClass {
  let proto: unknown = getPrototypeOf(error);
  for (let step = 0; proto !== null && step < MAX_ANCESTORS; step++) {
    const { name } = (proto as { constructor?: { name?: unknown } }).constructor ?? {};
    if (typeof name === 'string' && hasOwn(CLASSES, name)) return name as ErrorClass;
    proto = getPrototypeOf(proto);
  }
  return 'Error';
}

/** A new error of that class. */
export function errorOf(
  name: string,
  message: string,
  { class: of = classOfName(name), errors = [] }: { class?: string | undefined; errors?: readonly Error[] },
): Error {
  switch (of) {
    case 'DOMException':
      return new DOMException(message, name);
    case 'AggregateError':
      return named(new AggregateError(errors, message), name);
    default: {
      const Class = hasOwn(CLASSES, of) ? CLASSES[of as Exclude<ErrorClass, 'AggregateError' | 'DOMException'>] : Error;
      return named(new Class(message), name);
    }
  }
}

function named<E extends Error>(error: E, name: string): E {
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return error;
}
