/** Tasks by what people know them by. */
import { printable } from '../../base/printable.js';
import type { Encoded } from '../../runtime/task/task.js';
import { isContentId } from '../../runtime/task/task-id.js';

/** Of an input, in characters. */
const MAX_INPUT = 60;

/** The id; of a line also its input, cut to a few words. @param input encoded, where it is known */
export function taskName(id: string, input: Encoded | undefined): string {
  if (input === undefined || !isContentId(id)) return printable(id);
  return `${id} (${inputText(input)})`;
}

/** What a task was given, cut to a few words. */
export function inputText(input: Encoded): string {
  if (typeof input !== 'string') return 'binary';
  return printable(input.startsWith('"') ? (JSON.parse(input) as string) : input, MAX_INPUT);
}
