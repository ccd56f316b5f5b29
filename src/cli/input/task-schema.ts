/** Any line of a task file, and all that can be wrong with it. Loads zod: import it with `await import()`. */
import { z } from 'zod';
import { didYouMean, faultsOf, quoted } from '../../runtime/faults.js';
import { jsonLineFault } from '../../runtime/json-fault.js';
import { duration, OPTION_CHECKS, text, whole, withUnit } from '../../runtime/options.js';
import { lineId, type Line } from './lines.js';
import type { SourceTask } from './source.js';
import { MAX_ID_LENGTH, type HandlerChoice } from './task-line.js';

const fields = {
  id: z
    .string({ error: (issue) => `wants a text, got ${quoted(issue.input)}` })
    .min(1, { error: 'is empty' })
    .max(MAX_ID_LENGTH, { error: 'is longer than 1024 characters' })
    .refine((id) => !id.startsWith('#'), { error: 'starts with "#", as only the ids that the queue gives do' })
    .optional(),
  handler: text('wants the name of a handler').optional(),
  input: z.custom<unknown>((value) => value !== undefined, { error: 'is missing' }),
  priority: whole(-1_000_000, 1_000_000).default(0),
  timeout: withUnit('"500ms" or "2s"', duration(1)).optional(),
  retries: OPTION_CHECKS.retries.unwrap().optional(),
};

const schema = z.strictObject(fields, {
  error: (issue) => (issue.code === 'invalid_type' ? `wants an object, got ${quoted(issue.input)}` : undefined),
});
const KNOWN_FIELDS = { '': Object.keys(fields) };

/** The task of a line, or all that is wrong with it. */
export function parseTaskLine(line: Line, choice: HandlerChoice): SourceTask | string[] {
  if (line.fault !== undefined) return [line.fault];
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return [jsonLineFault(line.text)];
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    return faultsOf(parsed.error.issues, KNOWN_FIELDS).map(({ where, problem }) => `${where} ${problem}`.trimStart());
  }
  const task = parsed.data;
  const handler = task.handler ?? choice.handler;
  if (handler === undefined) return ['handler is missing, and --handler gives none for all'];
  if (choice.handlers !== undefined && !choice.handlers.includes(handler)) {
    return [
      `handler ${JSON.stringify(handler)} is none of ${listed(choice.handlers)}${didYouMean(handler, choice.handlers)}`,
    ];
  }
  return {
    id: task.id ?? lineId(line),
    handler,
    input: JSON.stringify(task.input),
    priority: task.priority,
    timeoutMs: task.timeout,
    retries: task.retries,
    line: line.number,
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
