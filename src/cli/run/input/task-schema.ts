/** Any line of a task file, and all that can be wrong with it. Loads zod: import it with `await import()`. */
import { z } from 'zod';
import { didYouMean, faultsOf, quoted } from '../../../base/faults.js';
import { parseExactly, type ExactFault } from '../../../base/json/exact.js';
import { WHOLE } from '../../../base/json/numbers.js';
import { duration, OPTION_CHECKS, text, whole, withUnit } from '../../../runtime/options.js';
import { HALF_PAIR, isWellFormed, taskIdFault } from '../../../runtime/task/task-id.js';
import type { Line } from './lines.js';
import type { SourceTask } from './source.js';
import { encodedInput, MAX_ID_LENGTH, type LineRules } from './task-line.js';

const fields = {
  id: z
    .string({ error: (issue) => `must be a string, got ${quoted(issue.input)}` })
    .max(MAX_ID_LENGTH, { error: 'is longer than 1024 characters' })
    .superRefine((id, context) => {
      const fault = taskIdFault(id);
      if (fault !== undefined) context.addIssue(fault);
    })
    .optional(),
  handler: text('must be the name of a handler')
    .refine(isWellFormed, { error: (issue) => `holds ${HALF_PAIR}: ${quoted(issue.input)}` })
    .optional(),
  input: z.custom<unknown>((value) => value !== undefined, { error: 'is missing' }),
  priority: whole(-1_000_000, 1_000_000).default(0),
  timeout: withUnit('"500ms" or "2s"', duration(1)).optional(),
  retries: OPTION_CHECKS.retries.unwrap().optional(),
};

const schema = z.strictObject(fields, {
  error: (issue) => (issue.code === 'invalid_type' ? `must be an object, got ${quoted(issue.input)}` : undefined),
});
const KNOWN_FIELDS = { '': Object.keys(fields) };

/** The task of a line, or all that is wrong with it. */
export function parseTaskLine(line: Line, rules: LineRules): SourceTask | string[] {
  if (line.fault !== undefined) return [line.fault];
  const json = parseExactly(line.text, rules.bigIntegers);
  if (json.faults.length > 0) return json.faults.map(told);
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) {
    return faultsOf(parsed.error.issues, KNOWN_FIELDS).map(({ where, problem }) => `${where} ${problem}`.trimStart());
  }
  const task = parsed.data;
  const handler = task.handler ?? rules.handler;
  if (handler === undefined) return ['handler is missing, and --handler gives none for all'];
  if (rules.handlers !== undefined && !rules.handlers.includes(handler)) {
    return [
      `handler ${JSON.stringify(handler)} is none of ${listed(rules.handlers)}${didYouMean(handler, rules.handlers)}`,
    ];
  }
  return {
    id: task.id,
    handler,
    input: encodedInput(task.input, json),
    priority: task.priority,
    timeoutMs: task.timeout,
    retries: task.retries,
    line: line.number,
  };
}

/** `column 7: "}" where a field name in double quotes should be` */
function told({ offset, problem, number }: ExactFault): string {
  if (number === undefined) return offset === undefined ? problem : `column ${offset + 1}: ${problem}`;
  const { path, given } = number;
  return `${path} ${problem}: write it as a text${WHOLE.test(given) ? ', or give --big-integers' : ''}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
