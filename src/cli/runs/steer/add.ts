import { InvalidInputError, type Fault } from '../../../base/errors.js';
import { formatCount } from '../../../base/units.js';
import { changeRun, handlersOfRun } from '../../../runs/ask-run.js';
import type { SentInput } from '../../../runtime/control/messages.js';
import { StateDir } from '../../../system/state-dir.js';
import { EXIT } from '../../exit-code.js';
import { conflict, streamOf } from '../../run/input/feed.js';
import { replayed } from '../../run/input/replay.js';
import type { SourceTask, TaskSource } from '../../run/input/source.js';
import { taskCount } from '../../screen/display.js';
import { printJson, tell } from '../../screen/terminal.js';
import { mustKnowRun, orHint } from '../find-run.js';

interface Given {
  dir?: string;
  tasks?: string;
  lines?: boolean;
  null?: boolean;
  handler?: string;
  json?: boolean;
}

/** Of one request: so many tasks, or this much of their inputs in characters. */
const MAX_TASKS = 1000;
const MAX_CHARACTERS = 4 * 2 ** 20;

const MAX_FAULTS = 20;

/** `runtime add <run-id>`: resolves once the tasks are on disk. */
export async function add(runId: string, given: Given): Promise<number> {
  mustHaveOneSource(given);
  const stateDir = new StateDir(given.dir);
  mustKnowRun(stateDir, runId);
  const { handlers, handler } = await orHint(handlersOfRun(stateDir, runId), stateDir, runId);
  const source = await sourceOf(given, chosenHandler(given, handlers, handler), handlers);
  const counts = { added: 0, duplicate: 0, conflict: 0 };
  const taken: Fault[] = [];
  try {
    for await (const chunk of chunksOf(source.tasks)) {
      const tasks = chunk.map(sent);
      const answer = await orHint(changeRun(stateDir, runId, 'add', { tasks }), stateDir, runId);
      answer.tasks.forEach((task, index) => {
        counts[task.status]++;
        if (task.status === 'conflict' && taken.length < MAX_FAULTS) taken.push(conflict(chunk[index]!, task.id));
      });
    }
  } catch (error) {
    // They are known by their ids, so the same command is no repetition.
    if (counts.added > 0) tell(`${taskCount(counts.added)} added to ${runId}; the same command adds the rest`);
    throw error;
  }
  const more = counts.conflict - taken.length;
  if (more > 0) taken.push({ where: `and ${formatCount(more)} more`, problem: 'their ids are taken as well' });
  if (given.json) printJson({ schema: 1, added: counts.added, duplicate: counts.duplicate, conflicts: taken });
  else tell(`${taskCount(counts.added)} added to ${runId}${knownText(counts.duplicate)}`);
  if (taken.length > 0) {
    throw new InvalidInputError('ERR_INVALID_TASK', 'these task ids are taken', taken, {
      hint: 'Give these tasks other ids. All others were added.',
    });
  }
  return EXIT.ok;
}

function knownText(duplicates: number): string {
  if (duplicates === 0) return '';
  return `; ${formatCount(duplicates)} ${duplicates === 1 ? 'was' : 'were'} there already`;
}

function mustHaveOneSource({ tasks, lines, null: endedByNull }: Given): void {
  const faults: Fault[] = [];
  if (tasks === undefined && lines !== true)
    faults.push({ where: 'no tasks', problem: 'give one of --tasks <file|->, --lines' });
  if (tasks !== undefined && lines === true)
    faults.push({ where: '--tasks and --lines', problem: 'there can be one source of tasks' });
  if (endedByNull === true && lines !== true) faults.push({ where: '--null', problem: 'is for --lines alone' });
  if (faults.length > 0) throw new InvalidInputError('ERR_INVALID_OPTIONS', 'no task was added', faults);
}

/** @throws InvalidInputError where tasks need one and it is not known */
function chosenHandler(
  { handler: wanted, lines }: Given,
  handlers: readonly string[],
  ofRun: string | null,
): string | undefined {
  if (wanted !== undefined && !handlers.includes(wanted)) {
    const problem = `the run has no function ${JSON.stringify(wanted)}: there is ${handlers.join(', ')}`;
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'no task was added', [{ where: '--handler', problem }]);
  }
  const only = handlers.includes('default') ? 'default' : handlers.length === 1 ? handlers[0] : undefined;
  const handler = wanted ?? ofRun ?? only;
  if (handler !== undefined || lines !== true) return handler;
  const problem = `which of ${handlers.join(', ')} is to run the tasks?`;
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'no task was added', [{ where: '--handler', problem }]);
}

async function sourceOf(
  { tasks: file, null: endedByNull }: Given,
  handler: string | undefined,
  handlers: readonly string[],
): Promise<TaskSource> {
  if (file === undefined) {
    const { eachLine } = await import('../../run/input/stdin-lines.js');
    return eachLine(process.stdin, handler!, endedByNull);
  }
  const { fileChunks, readTasks } = await import('../../run/input/task-file.js');
  const rules = { handler, handlers, bigIntegers: false };
  const { needsSpool } = await import('../../run/input/spool.js');
  if (!(await needsSpool({ kind: 'tasks', file }))) return readTasks(file, () => fileChunks(file), rules);
  // A pipe is read once, and its tasks twice: all of it is checked before any is sent.
  const open = await replayed(streamOf({ kind: 'tasks', file }));
  return readTasks(file === '-' ? 'standard input' : file, open, rules);
}

async function* chunksOf(tasks: AsyncIterable<SourceTask>): AsyncGenerator<SourceTask[]> {
  let chunk: SourceTask[] = [];
  let characters = 0;
  for await (const task of tasks) {
    chunk.push(task);
    characters += task.input.length;
    if (chunk.length < MAX_TASKS && characters < MAX_CHARACTERS) continue;
    yield chunk;
    chunk = [];
    characters = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** As `enqueue` would take it, but for its input. */
function sent({ id, handler, input, priority, timeoutMs, retries }: SourceTask) {
  const sentInput: SentInput =
    typeof input === 'string' ? { json: input } : { bytes: Buffer.from(input).toString('base64') };
  return { id, handler, input: sentInput, priority, timeoutMs, retries };
}
