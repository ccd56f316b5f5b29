/** The lines that most task files consist of. */
import { lineId, type Line } from './lines.js';
import type { SourceTask } from './source.js';

/** The handlers that tasks may name. */
export interface HandlerChoice {
  /** For tasks that name none. */
  handler: string | undefined;
  /** All there are; `undefined` if that is not known. */
  handlers: readonly string[] | undefined;
}

export const MAX_ID_LENGTH = 1024;

const PLAIN_FIELDS: ReadonlySet<string> = new Set(['id', 'handler', 'input']);

/**
 * The task of a line that has no other fields than an input, and perhaps an id
 * and a handler, all of them right; `undefined` for any other line, which is
 * for the schema to judge. Where both give a task, they give the same (there is
 * a test). A run of such tasks need not load the schema, which takes 40 ms.
 */
export function plainTask(line: Line, choice: HandlerChoice): SourceTask | undefined {
  if (line.fault !== undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { id, handler = choice.handler, input } = value as Record<string, unknown>;
  if (Object.keys(value).some((key) => !PLAIN_FIELDS.has(key)) || input === undefined) return undefined;
  if (typeof handler !== 'string' || handler === '' || choice.handlers?.includes(handler) === false) return undefined;
  if (id !== undefined && !isPlainId(id)) return undefined;
  return {
    id: id ?? lineId(line),
    handler,
    input: JSON.stringify(input),
    priority: 0,
    timeoutMs: undefined,
    retries: undefined,
    line: line.number,
  };
}

function isPlainId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH && !id.startsWith('#');
}
