import type { TaskErrorRecord } from '../task/task.js';
import { classOf, classOfName } from '../task/error-classes.js';
import {
  hasOwn,
  inspect,
  isArray,
  isFinite,
  isNativeError,
  keys,
  min,
  OwnError,
  ownDescriptors,
  sliceOf,
  stringOf,
} from './own.js';

/** Keeps a runaway message or stack from filling the queue; in characters. */
const MAX_TEXT = 16_384;

/** The same for errors below the first one. */
const MAX_TEXT_BELOW = 2_048;

/** Causes of causes that are kept. */
const MAX_DEPTH = 4;

/** Errors of an `AggregateError` that are kept. */
const MAX_ERRORS = 10;

const MAX_FIELDS = 16;
const MAX_FIELD_TEXT = 1_024;

/** What is recorded under a name of its own, or is nobody else's matter. */
const KNOWN_FIELDS = { name: 1, message: 1, stack: 1, code: 1, cause: 1, errors: 1, stuckAt: 1 };

/**
 * What is kept of whatever a handler threw. Anything can be thrown, also
 * things whose very properties throw, so nothing here may trust the value.
 */
export function toErrorRecord(thrown: unknown): TaskErrorRecord {
  try {
    if (isError(thrown)) return fromError(thrown, 0);
    return { name: 'NonError', message: clip(`a value that is not an Error was thrown: ${inspect(thrown)}`) };
  } catch {
    return { name: 'NonError', message: 'a value that cannot even be inspected was thrown' };
  }
}

/** An error of another realm (`node:vm`) is no instance of this one's class. */
function isError(value: unknown): value is Error {
  return value instanceof OwnError || isNativeError(value);
}

function fromError(error: Error, depth: number): TaskErrorRecord {
  const max = depth === 0 ? MAX_TEXT : MAX_TEXT_BELOW;
  const record: TaskErrorRecord = {
    name: clip(stringOf(error.name), max),
    message: clip(stringOf(error.message), max),
  };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  // The number of a DOMException is a matter of its class.
  const ofClass = classOf(error);
  if ((typeof code === 'string' || typeof code === 'number') && ofClass !== 'DOMException') {
    record.code = clip(stringOf(code), max);
  }
  let stack = typeof error.stack === 'string' ? error.stack : '';
  if (cause !== undefined && !isError(cause)) stack += `\n[cause]: ${inspect(cause, { depth: 1 })}`;
  if (stack !== '') record.stack = clip(stack, max);
  if (ofClass !== classOfName(record.name)) record.class = ofClass;
  const fields = fieldsOf(error);
  if (fields !== undefined) record.fields = fields;
  if (isError(cause) && depth < MAX_DEPTH) record.cause = below(cause, depth);
  if (ofClass === 'AggregateError' && depth < MAX_DEPTH) {
    const { errors } = error as { errors?: unknown };
    if (isArray(errors)) record.errors = firstBelow(errors, depth);
  }
  return record;
}

function firstBelow(errors: readonly unknown[], depth: number): TaskErrorRecord[] {
  const records: TaskErrorRecord[] = [];
  const count = min(errors.length, MAX_ERRORS);
  for (let i = 0; i < count; i++) records[i] = below(errors[i], depth);
  return records;
}

/** What is below an error may be beyond telling; the error itself is told all the same. */
function below(thrown: unknown, depth: number): TaskErrorRecord {
  try {
    if (isError(thrown)) return fromError(thrown, depth + 1);
    return { name: 'NonError', message: clip(inspect(thrown), MAX_TEXT_BELOW) };
  } catch {
    return { name: 'NonError', message: 'a value that cannot even be inspected' };
  }
}

function fieldsOf(error: Error): TaskErrorRecord['fields'] {
  let fields: Record<string, string | number | boolean> | undefined;
  let count = 0;
  const own: Record<string, PropertyDescriptor> = ownDescriptors(error);
  const names = keys(own);
  for (let i = 0; i < names.length; i++) {
    const key = names[i]!;
    const { value } = own[key]!;
    if (hasOwn(KNOWN_FIELDS, key) || key === '__proto__' || key.length > 100 || count === MAX_FIELDS) continue;
    if (typeof value === 'string') (fields ??= {})[key] = clip(value, MAX_FIELD_TEXT);
    else if (typeof value === 'boolean' || isFinite(value)) (fields ??= {})[key] = value as number | boolean;
    else continue;
    count++;
  }
  return fields;
}

function clip(text: string, max = MAX_TEXT): string {
  return text.length <= max ? text : `${sliceOf(text, 0, max)}… (${text.length - max} more characters)`;
}
