/** Errors on their way from a keeper to an executor: class, code, words and causes stay as they are. */
import { HoldfastError, InvalidInputError, type ErrorCode, type Fault } from '../../../base/errors.js';

/** Deeper causes are left out: nobody reads them, and one may lead back to itself. */
const MAX_CAUSES = 8;

export interface ToldError {
  name: string;
  message: string;
  stack: string | undefined;
  /** Other fields of its own, as far as they are plain. */
  fields: Record<string, string | number | boolean>;
  cause?: ToldError | undefined;
  /** Of a `HoldfastError`. */
  holdfast?: { code: ErrorCode; hint: string | undefined; faults: readonly Fault[] | undefined };
}

export function toldError(thrown: unknown, depth = 0): ToldError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const told: ToldError = { name: error.name, message: error.message, stack: error.stack, fields: {} };
  for (const [key, value] of Object.entries(error)) {
    if (['string', 'number', 'boolean'].includes(typeof value)) told.fields[key] = value as string;
  }
  if (error.cause instanceof Error && depth < MAX_CAUSES) told.cause = toldError(error.cause, depth + 1);
  if (error instanceof HoldfastError) {
    const { code, hint } = error;
    told.holdfast = { code, hint, faults: error instanceof InvalidInputError ? error.faults : undefined };
  }
  return told;
}

export function errorOf({ name, message, stack, fields, cause, holdfast }: ToldError): Error {
  const error = holdfast === undefined ? new Error(message) : holdfastError(message, holdfast);
  // As they are of an error that was thrown here: not to be enumerated.
  const hidden = { stack, ...(cause !== undefined && { cause: errorOf(cause) }), ...(!holdfast && { name }) };
  for (const [key, value] of Object.entries(hidden)) {
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  if (holdfast === undefined) Object.assign(error, fields);
  return error;
}

function holdfastError(message: string, { code, hint, faults }: NonNullable<ToldError['holdfast']>): HoldfastError {
  if (faults === undefined) return new HoldfastError(code, message, hint === undefined ? {} : { hint });
  const error = new InvalidInputError(code as 'ERR_INVALID_TASK', '', faults, hint === undefined ? {} : { hint });
  error.message = message;
  return error;
}
