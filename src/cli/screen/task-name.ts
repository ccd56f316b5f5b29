/** Tasks by what people know them by. */
import { printable } from '../../base/printable.js';
import type { Encoded } from '../../runtime/task/task.js';

/** Of an input, in characters. */
const MAX_INPUT = 60;

/** An id that was made of the content of a line: it says nothing to anybody. */
const CONTENT_ID = /^[0-9a-f]{16}(:\d+)?$/;

/** The id; of a line also its input, cut to a few words. @param input encoded, where it is known */
export function taskName(id: string, input: Encoded | undefined): string {
  if (input === undefined || !CONTENT_ID.test(id)) return printable(id);
  return `${id} (${inputText(input)})`;
}

/** What a task was given, cut to a few words. */
export function inputText(input: Encoded): string {
  if (typeof input !== 'string') return 'binary';
  return printable(input.startsWith('"') ? (JSON.parse(input) as string) : input, MAX_INPUT);
}
