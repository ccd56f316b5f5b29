import { constants, createReadStream, fstatSync, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { HoldfastError, InvalidInputError, type Fault } from '../../../base/errors.js';
import { traitsOf } from '../../../runtime/queue/open-queue.js';
import type { Executor } from '../../../runtime/executor.js';
import { StateDir } from '../../../system/state-dir.js';
import { chooseHandler } from '../../arguments/choose-handler.js';
import type { LeftOut } from './find-files.js';
import type { SourceTask, TaskSource } from './source.js';
import type { NamedTasks } from '../job/named-tasks.js';
import type { RunFlags } from '../run-flags.js';

/** Tasks that go to the queue in one transaction. */
const CHUNK = 1000;

/** Tasks that a queue in memory holds at most, so that a source of any length needs the same memory. */
const MEMORY_QUEUE_HIGH = 10_000;

const MAX_FAULTS = 20;

/** How the feeding goes on; read by the progress display. */
export interface FeedState {
  /** Tasks read so far. */
  read: number;
  /** Tasks that will come in all, once that is known. */
  total: number | undefined;
  /** Whether the source is at its end. */
  finished: boolean;
  /** What was meant to be a task, and is none. */
  leftOut: readonly LeftOut[];
  /** Links to folders that were passed by. */
  linksNotFollowed: number;
  /** Which tasks it named: those of earlier starts, and new ones. */
  named: NamedTasks;
}

/** The handler for tasks that name none; where each line of a task file may name its own, there need be none. */
export function handlerFor(flags: RunFlags, handlers: ReadonlySet<string>): string | undefined {
  const many = handlers.size > 1 && !handlers.has('default');
  if (flags.handler === undefined && many && flags.source.kind === 'tasks') return undefined;
  return chooseHandler(flags.executor.handlers, flags.handler, handlers, (name) => `--handler ${name}`);
}

/**
 * Opens the source of a run; what can be checked before the first task is taken is checked then.
 * @param kept gives what can be read only once (standard input, a pipe) from its begin, each time; `undefined`: nothing is
 */
export async function openSource(
  flags: RunFlags,
  handlers: ReadonlySet<string>,
  { kept, signal }: { kept: (() => AsyncIterable<Uint8Array>) | undefined; signal: AbortSignal },
): Promise<TaskSource> {
  const handler = handlerFor(flags, handlers);
  switch (flags.source.kind) {
    case 'each': {
      const { eachFile } = await import('./each.js');
      const { glob, exclude, follow } = flags.source;
      return eachFile(glob, handler!, { cwd: process.cwd(), exclude, follow, own: ownFiles(flags) });
    }
    case 'lines': {
      const { eachLine } = await import('./stdin-lines.js');
      return eachLine(kept!(), handler!, flags.source.endedByNull);
    }
    case 'tasks': {
      const { fileChunks, readTasks } = await import('./task-file.js');
      const { file } = flags.source;
      const open = kept ?? (() => fileChunks(file, signal));
      const name = file === '-' ? 'standard input' : file;
      return readTasks(name, open, { handler, handlers: [...handlers], bigIntegers: flags.bigIntegers });
    }
  }
}

/** What a run writes is no input of it. */
function ownFiles({ executor, results }: RunFlags): string[] {
  return [...new StateDir(executor.dir).folders(), ...(results === undefined || results === '-' ? [] : [results])];
}

/** The stream that is to be spooled. @throws HoldfastError `ERR_INVALID_OPTIONS` if it can have no lines */
export function streamOf(source: RunFlags['source']): AsyncIterable<Uint8Array> {
  if (source.kind === 'tasks' && source.file !== '-') return streamOfFile(source.file);
  // Node reads nothing from it, without a word.
  if (isFolder(0)) {
    throw new HoldfastError('ERR_INVALID_OPTIONS', 'standard input is a folder: there are no tasks to read from it', {
      hint: "For the files in a folder: --each '<folder>/**'",
    });
  }
  return process.stdin;
}

function isFolder(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory();
  } catch {
    // It is closed.
    return false;
  }
}

/**
 * open(2) of a named pipe would block until somebody writes to it, and with it the
 * end of the process.
 */
function streamOfFile(file: string): AsyncIterable<Uint8Array> {
  if (!statSync(file).isFIFO()) return createReadStream(file);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/**
 * Puts all tasks of a source into the queue.
 * @throws HoldfastError ERR_INVALID_TASK naming the lines whose id is taken by another task, ERR_TASK_CONFLICT
 * when another handler had the same inputs
 */
export async function feed(
  executor: Executor,
  source: TaskSource,
  options: { flags: RunFlags; signal: AbortSignal; state: FeedState },
): Promise<void> {
  const { flags, signal, state } = options;
  state.total = source.total;
  const faults: Fault[] = [];
  const add = async (chunk: SourceTask[]) => {
    const added = await executor.encoded.add(chunk);
    added.forEach(({ status, id, seq }, index) => {
      state.named.add(seq);
      if (status === 'conflict' && faults.length < MAX_FAULTS) faults.push(conflict(chunk[index]!, id));
    });
    state.read += chunk.length;
    if (traitsOf(flags.executor).bounded) await roomInMemory(executor, signal);
  };
  for await (const chunk of chunks(source.tasks)) {
    if (signal.aborted) return;
    await add(chunk);
    if (faults.length > 0) break;
  }
  if (faults.length > 0) throw taken(faults, flags, executor.runId);
  state.finished = true;
}

/** Groups what is there at once, and waits for nothing to fill a group. */
async function* chunks(tasks: AsyncIterable<SourceTask>): AsyncGenerator<SourceTask[]> {
  const source = tasks[Symbol.asyncIterator]();
  let chunk: SourceTask[] = [];
  for (;;) {
    const next = source.next();
    let arrived = false;
    void next.then(
      () => (arrived = true),
      () => (arrived = true),
    );
    // What the source has in hand arrives within these three turns of the microtask queue.
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    if (!arrived && chunk.length > 0) {
      yield chunk;
      chunk = [];
    }
    const { done, value } = await next;
    if (!done) chunk.push(value);
    if (chunk.length >= CHUNK || (done && chunk.length > 0)) {
      yield chunk;
      chunk = [];
    }
    if (done) return;
  }
}

/** What is wrong with a task whose id another one has. */
export function conflict({ line }: SourceTask, id: string): Fault {
  return {
    where: line === undefined ? 'task' : `line ${line}`,
    problem: `the id ${JSON.stringify(id)} is taken by a task with another handler or input`,
  };
}

function taken(faults: readonly Fault[], { source, handler }: RunFlags, runId: string): HoldfastError {
  if (source.kind === 'tasks') {
    return new InvalidInputError('ERR_INVALID_TASK', 'these task ids are taken', faults, {
      hint: 'Give the tasks other ids, use another --run-id, or start the run over: --fresh.',
    });
  }
  // The ids of lines and files come from the inputs themselves, so it is the handler that is another one.
  return new HoldfastError('ERR_TASK_CONFLICT', `run ${runId} has done the same inputs with another handler`, {
    hint: `Give this run a name of its own: --run-id ${runId}-${handler ?? 'again'}. Or start it over: --fresh.`,
  });
}

async function roomInMemory(executor: Executor, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await executor.counts()).queued > MEMORY_QUEUE_HIGH) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
