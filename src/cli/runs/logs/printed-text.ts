import { printableLines } from '../../../base/printable.js';
import { formatCount } from '../../../base/units.js';
import type { PrintedLine } from '../../../runs/output/read-output.js';
import { taskName } from '../../screen/task-name.js';

/** What was printed, with an end of line. @param escape whether it goes to a terminal, which it is not to steer */
export function printedText({ text, level, fields }: PrintedLine, escape: boolean): string {
  const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
  const whole = level === undefined ? text : `${level}: ${text}${more}`;
  return `${escape ? printableLines(whole) : whole}\n`;
}

/** Who printed it: `a`, `a (attempt 2)`, `0123456789abcdef (a line)`, `one of a, b and 3 more`, `thread 1`. */
export function printerText({ by, others = 0, thread }: PrintedLine): string {
  const names = by.map(([id, attempt, input]) => `${taskName(id, input)}${attempt > 1 ? ` (attempt ${attempt})` : ''}`);
  if (names.length === 0) return `thread ${thread}`;
  if (names.length === 1 && others === 0) return names[0]!;
  return `one of ${names.join(', ')}${others > 0 ? ` and ${formatCount(others)} more` : ''}`;
}

/** As `--json` has it. */
export function printedDocument({ at, thread, stream, level, by, others, text, fields, cut }: PrintedLine): unknown {
  return {
    schema: 1,
    at: new Date(at).toISOString(),
    thread,
    stream,
    ...(level !== undefined && { level }),
    tasks: by.map(([id, attempt, input]) => ({ id, attempt, ...(input !== undefined && { input }) })),
    ...(others !== undefined && { others }),
    text,
    ...(fields !== undefined && { fields }),
    ...(cut === true && { cut }),
  };
}
