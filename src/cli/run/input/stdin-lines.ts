/** `--lines`: every line of standard input is a task. */
import { InvalidInputError } from '../../../base/errors.js';
import { ContentIds } from './content-ids.js';
import { readLines } from './lines.js';
import type { SourceTask, TaskSource } from './source.js';

/**
 * One task a line, as soon as the line is there; its input is the line as a
 * string. An empty line is a task too, as it is for GNU parallel and xargs
 * (`grep .` in front of it leaves them out).
 *
 * @param endedByNull whether lines end with NUL, and may hold any other character
 *
 * @throws InvalidInputError `ERR_INVALID_TASK` while reading, at a line that is
 * not UTF-8 or longer than 16 MB. The lines before it are tasks by then.
 */
export function eachLine(chunks: AsyncIterable<Uint8Array>, handler: string, endedByNull = false): TaskSource {
  return { total: undefined, tasks: tasksOf(chunks, handler, endedByNull) };
}

async function* tasksOf(
  chunks: AsyncIterable<Uint8Array>,
  handler: string,
  endedByNull: boolean,
): AsyncGenerator<SourceTask> {
  const ids = new ContentIds();
  for await (const lines of readLines(chunks, { endedByNull })) {
    for (const line of lines) {
      if (line.fault !== undefined) {
        const fault = { where: `line ${line.number}`, problem: line.fault };
        throw new InvalidInputError('ERR_INVALID_TASK', 'standard input', [fault], {
          hint: 'Mend the line and type the same command again: the lines before it are not run twice.',
        });
      }
      const input = JSON.stringify(line.text);
      yield {
        id: ids.next(handler, input),
        handler,
        input,
        priority: 0,
        timeoutMs: undefined,
        retries: undefined,
        line: line.number,
      };
    }
  }
}
