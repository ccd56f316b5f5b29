/** Any line of a task file, and all that can be wrong with it: import it with `await import()`, most files need it not. */
import { didYouMean, quoted } from '../../../base/faults.js';
import { parseExactly, type ExactFault } from '../../../base/json/exact.js';
import { WHOLE } from '../../../base/json/numbers.js';
import { duration, text, whole } from '../../../options/kinds.js';
import type { Kind, Options } from '../../../options/option.js';
import { readOptions } from '../../../options/read-options.js';
import { Refusal } from '../../../options/refusal.js';
import { RUN_OPTIONS } from '../../../options/run-options.js';
import { HALF_PAIR, isWellFormed, taskIdFault } from '../../../runtime/task/task-id.js';
import type { Line } from './lines.js';
import type { SourceTask } from './source.js';
import { encodedInput, MAX_ID_LENGTH, type LineRules } from './task-line.js';

const id: Kind<string> = {
  read(given) {
    if (typeof given !== 'string') throw new Refusal(`must be a string, got ${quoted(given)}`);
    const fault = given.length > MAX_ID_LENGTH ? 'is longer than 1024 characters' : taskIdFault(given);
    if (fault !== undefined) throw new Refusal(fault);
    return given;
  },
  takes: 'text',
  json: { type: 'string' },
};

const handlerName = text('must be the name of a handler', 'name');
const handler: Kind<string> = {
  ...handlerName,
  read(given, origin) {
    const name = handlerName.read(given, origin);
    if (isWellFormed(name)) return name;
    throw new Refusal(`holds ${HALF_PAIR}: ${quoted(name)}`);
  },
};

const input: Kind<unknown> = {
  read(given) {
    if (given === undefined) throw new Refusal('is missing');
    return given;
  },
  takes: 'any value',
  json: {},
};

const FIELDS = {
  id: { says: 'names the task', takes: id },
  handler: { says: 'the export that runs it', takes: handler },
  input: { says: 'what the handler is given', takes: input, required: true },
  priority: { says: 'higher runs first', takes: whole(-1_000_000, 1_000_000), unset: 0 },
  timeout: { says: 'for one attempt', takes: duration(1) },
  retries: { says: 'tries after the first one', takes: RUN_OPTIONS.retries.takes },
} as const satisfies Options;

/** The task of a line, or all that is wrong with it. */
export function parseTaskLine(line: Line, rules: LineRules): SourceTask | string[] {
  if (line.fault !== undefined) return [line.fault];
  const json = parseExactly(line.text, rules.bigIntegers);
  if (json.faults.length > 0) return json.faults.map(told);
  const { values: task, faults } = readOptions(FIELDS, json.value, 'file');
  if (faults.length > 0) return faults.map(({ where, problem }) => `${where} ${problem}`.trimStart());
  const name = task.handler ?? rules.handler;
  if (name === undefined) return ['handler is missing, and --handler gives none for all'];
  if (rules.handlers !== undefined && !rules.handlers.includes(name)) {
    return [`handler ${JSON.stringify(name)} is none of ${listed(rules.handlers)}${didYouMean(name, rules.handlers)}`];
  }
  return {
    id: task.id,
    handler: name,
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
