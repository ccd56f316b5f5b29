/** `--tasks <file|->`: NDJSON, one task a line, all of it checked before the first task is taken. */
import { createReadStream } from 'node:fs';
import { HoldfastError, InvalidInputError, type Fault } from '../../../base/errors.js';
import { formatCount } from '../../../base/units.js';
import { ContentIds } from './content-ids.js';
import { readLines, type Line } from './lines.js';
import type { SourceTask, TaskSource } from './source.js';
import { plainTask, type LineRules } from './task-line.js';

const MAX_FAULTS = 20;

/**
 * Reads all of `open()` once to check it, and once more to give its tasks: a
 * file of any length needs the memory of one chunk. Blank lines are skipped.
 * A task without an id gets one of its handler and its input.
 *
 * That two lines have one id is left to the queue to find, which can tell it
 * without holding every id in memory: it answers `conflict`.
 *
 * @param name what the faults are told of: the file, or `standard input`
 * @throws InvalidInputError `ERR_INVALID_TASK` with up to 20 faults, each with its line. No task was given then.
 */
export async function readTasks(
  name: string,
  open: () => AsyncIterable<Uint8Array>,
  rules: LineRules,
): Promise<TaskSource> {
  const checked = await check(name, open(), rules);
  return { total: checked.tasks, tasks: tasksOf(name, open(), rules, checked.lines) };
}

/** The bytes of a file. @throws HoldfastError `ERR_INVALID_OPTIONS` if it cannot be read, or `signal` ends it. */
export async function* fileChunks(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const options = { highWaterMark: 256 * 1024, ...(signal && { signal }) };
    yield* createReadStream(path, options) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const words: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' };
    const message = `--tasks: ${JSON.stringify(path)} cannot be read: ${words[reason] ?? reason}`;
    throw new HoldfastError('ERR_INVALID_OPTIONS', message, { cause: error });
  }
}

async function check(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  rules: LineRules,
): Promise<{ tasks: number; lines: number }> {
  const faults: Fault[] = [];
  let more = 0;
  let nextLine = 0;
  let tasks = 0;
  let lines = 0;
  let hint: string | undefined;
  for await (const batch of readLines(chunks)) {
    for (const line of batch) {
      lines = line.number;
      if (isBlank(line)) continue;
      const task = plainTask(line, rules) ?? (await loadSchema()).parseTaskLine(line, rules);
      if (!Array.isArray(task)) {
        tasks++;
        continue;
      }
      if (faults.length === 0) hint = hintFor(line);
      for (const problem of task) {
        if (faults.length < MAX_FAULTS) faults.push({ where: `line ${line.number}`, problem });
        else if (++more === 1) nextLine = line.number;
      }
    }
  }
  if (faults.length > 0) {
    if (more > 0) faults.push({ where: `and ${formatCount(more)} more`, problem: `the next at line ${nextLine}` });
    throw new InvalidInputError(
      'ERR_INVALID_TASK',
      `${name}: no task was taken`,
      faults,
      hint === undefined ? {} : { hint },
    );
  }
  return { tasks, lines };
}

async function* tasksOf(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  rules: LineRules,
  lines: number,
): AsyncGenerator<SourceTask> {
  const ids = new ContentIds();
  for await (const batch of readLines(chunks)) {
    for (const line of batch) {
      // What was appended since the check is for the next run of the same command.
      if (line.number > lines) return;
      if (isBlank(line)) continue;
      const task = plainTask(line, rules) ?? (await loadSchema()).parseTaskLine(line, rules);
      if (Array.isArray(task)) {
        const faults = task.map((problem) => ({ where: `line ${line.number}`, problem }));
        throw new InvalidInputError('ERR_INVALID_TASK', `${name} was changed while it was read`, faults, {
          hint: 'Mend the file and type the same command again: tasks that were taken are not run twice.',
        });
      }
      task.id ??= ids.next(task.handler, task.input);
      yield task;
    }
  }
}

type Schema = typeof import('./task-schema.js');
let schema: Schema | undefined;

async function loadSchema(): Promise<Schema> {
  schema ??= await import('./task-schema.js');
  return schema;
}

function isBlank(line: Line): boolean {
  return line.fault === undefined && line.text.trim() === '';
}

function hintFor(line: Line): string | undefined {
  if (line.number > 1 || !/^\s*(\[|\{\s*$)/.test(line.text)) return undefined;
  return "A task file has one JSON object a line; from a JSON array: jq -c '.[]' tasks.json > tasks.ndjson";
}
