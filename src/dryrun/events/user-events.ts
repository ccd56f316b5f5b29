/** Sets of events that users bring: is it one, and do their events match their schemas? */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { HoldfastError, type Fault } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { importModule } from '../../system/load-module.js';
import type { DryRunEvent, EventMaker, EventType, SchemaIssue } from './event-set.js';

/** Event ids are task ids, and are printed. */
const TYPE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Fields that every event is given; the other way round they would be lost, or lie. */
const OURS = ['type', 'eventId', 'timestamp', 'dryRun'] as const satisfies (keyof DryRunEvent)[];

type Makers = Record<string, EventMaker>;

/** The set that a module exports, as `events` or `default`: its makers, or what is wrong with it. */
export async function loadEvents(path: string, cwd: string): Promise<Makers | Fault[]> {
  try {
    const exported = await importModule(pathToFileURL(resolve(cwd, path)).href);
    const set = exported['events'] ?? exported['default'];
    if (set !== undefined) return checkedMakers(set, `the events of ${quoted(path)}`);
    return [{ where: 'events', problem: `${quoted(path)} exports neither "events" nor a default` }];
  } catch (error) {
    return [{ where: 'events', problem: `cannot load ${quoted(path)}: ${wordsOf(error)}` }];
  }
}

/**
 * The makers of a set. Each checks what it makes against its schema, and throws `ERR_INVALID_EVENT`.
 * @param what names the set in faults
 */
export function checkedMakers(set: unknown, what: string): Makers | Fault[] {
  const types = typeof set === 'object' && set !== null ? Object.entries(set as Record<string, unknown>) : [];
  if (types.length === 0)
    return [{ where: 'events', problem: `${what} are to be types of events by name, got ${quoted(set)}` }];
  const faults = types.flatMap(([name, type]) =>
    faultsOfType(name, type).map((problem) => ({ where: 'events', problem: `${what}: ${quoted(name)} ${problem}` })),
  );
  if (faults.length > 0) return faults;
  return Object.fromEntries(types.map(([name, type]) => [name, checkedMaker(name, type as EventType)]));
}

function faultsOfType(name: string, type: unknown): string[] {
  const { make, schema, weight = 1 } = (type ?? {}) as Partial<Record<keyof EventType, unknown>>;
  const validate = (schema as EventType['schema'] | undefined)?.['~standard']?.validate;
  return [
    ...(TYPE_NAME.test(name) ? [] : ['is not a type name: letters, digits, ._- and at most 64 of them']),
    ...(typeof make === 'function' ? [] : ['has no function "make"']),
    ...(typeof validate === 'function' ? [] : ['has no "schema" of zod or another that follows Standard Schema']),
    ...(typeof weight === 'number' && weight > 0 && weight < Infinity
      ? []
      : [`has a weight that is not a number above 0: ${quoted(weight)}`]),
  ];
}

function checkedMaker(name: string, type: EventType): EventMaker {
  const { validate } = type.schema['~standard'];
  return {
    weight: type.weight ?? 1,
    make(draw, n, about) {
      const invalid = (problem: string, cause?: unknown) =>
        new HoldfastError('ERR_INVALID_EVENT', `event ${name}_${n} ${problem}`, {
          cause,
          hint: `It was made by the set's own "${name}": mend what makes it, or its schema.`,
        });
      let body: object;
      let result: ReturnType<typeof validate>;
      try {
        body = type.make(draw, n, about);
        result = validate(body);
      } catch (error) {
        throw invalid(`could not be made: ${wordsOf(error)}`, error);
      }
      if (result instanceof Promise) {
        throw invalid('cannot be checked: its schema answers with a promise');
      }
      if (result.issues) throw invalid(`does not match its schema: ${result.issues.map(told).join('; ')}`);
      if (typeof body !== 'object' || body === null || body instanceof Promise) {
        throw invalid(`was made as ${body instanceof Promise ? 'a promise' : quoted(body)}, and is to be an object`);
      }
      const taken = OURS.filter((field) => Object.hasOwn(body, field));
      if (taken.length > 0) throw invalid(`has fields of its own that every event is given: ${taken.join(', ')}`);
      return body;
    },
  };
}

function told({ path = [], message }: SchemaIssue): string {
  const field = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return field === '' ? message : `${field}: ${message}`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : quoted(error);
}
