import { fileURLToPath } from 'node:url';
import { untilLookedAt } from '../../../debug/looks-under-way.js';
import { HoldfastError } from '../../../base/errors.js';
import type { Reaper } from '../../processes/reaper.js';
import type { ClaimedTask } from '../../queue/contract.js';
import { idOf } from '../../queue/generated-id.js';
import type { TaskErrorRecord } from '../../task/task.js';
import { clock, now, ThreadBoard } from '../../thread/board.js';
import {
  AttemptEnd,
  type BatchReport,
  type TaskProgress,
  type TaskEvent,
  type ThreadMessage,
} from '../../thread/protocol.js';
import { ThreadChildren } from './thread-children.js';
import { batchRequest } from './batch-request.js';
import { ThreadLink } from './thread-link.js';
import { formatSize } from '../../../base/units.js';
import { keepUnended, type UnendedThread } from './unended.js';
import { versionOf } from './version.js';

/**
 * How long a dying thread is waited for, in ms. Until it is gone its tasks may
 * still do things, so they are not given to others. Native code that never
 * returns keeps a thread for ever; past this, the others go on without it.
 */
const EXIT_DEADLINE_MS = 2000;

/**
 * How long a module may take to load, in ms. A top-level await that never ends
 * is not told by Node within a thread: without an end to the waiting, a run
 * would hang before its first task, and say nothing. Large TypeScript programs
 * take a few seconds.
 */
const LOAD_DEADLINE_MS = 60_000;

/** Ids that are kept of the tasks of a thread. */
const MAX_IDS = 5;

type LoadReply = Extract<ThreadMessage, { type: 'loaded' | 'not-loaded' }>;

export interface ThreadSettings {
  /** `file:` URL of the module of handlers. */
  module: string;
  /** Tasks that one thread may have in flight. */
  lanes: number;
  captureOutput: boolean;
  /** Limit in bytes of its heap, and of that with its external memory; `undefined`: V8's own. */
  memory: number | undefined;
  /** Milliseconds that the `teardown` of the module may take, and the end of what tasks have started. */
  grace: number;
  /** Ends what tasks have started if this process dies. */
  reaper: Reaper;
  /** A thread is replaced when its heap and external memory are above so many bytes; `undefined`: never. */
  recycleAboveMemory: number | undefined;
  /** A thread takes so many tasks, and no more; `undefined`: no limit. */
  recycleAfterTasks: number | undefined;
}

/** The tasks that went to a lane in one message, and how far it has told of them. */
export interface Batch {
  readonly number: number;
  readonly lane: number;
  readonly tasks: readonly ClaimedTask[];
  /** Tasks told of so far; reports come in order. */
  reported: number;
  /** Tasks that still belong to it: those taken away again are cut off at the end. */
  size: number;
}

export interface ThreadListener {
  /** `last`: the lane is free again. */
  onReport(thread: PoolThread, batch: Batch, report: BatchReport, last: boolean): void;
  /** The thread is gone, and its batches with it. Told once. */
  onDeath(thread: PoolThread, cause: Error): void;
  /** The thread was ended, is waited for no longer, and has not ended. */
  onUnended(thread: UnendedThread): void;
  onEvent(thread: PoolThread, event: TaskEvent): void;
}

/** One worker thread, what it was given, and how far it has told of it. */
export class PoolThread {
  readonly number: number;
  readonly board: ThreadBoard;
  readonly batches: (Batch | undefined)[];
  /** What was last told of a lane's progress; it may be of a task that has ended. */
  readonly progress: (TaskProgress | undefined)[] = [];
  /** Whether the thread takes batches: once it has loaded, until it is retired. */
  accepting = false;
  loaded = false;
  /** Of the text of the module that it has loaded; `undefined` if that changed while it was loaded. */
  version: string | undefined;
  /** Whether its event loop has not turned for a while: it takes no batches until it does. */
  blocked = false;
  tasksDone = 0;
  /** Tasks that it still may take before it is to be replaced. */
  tasksLeft: number;
  /** Milliseconds in which at least one lane had work, up to `#busySince`. */
  #busyMs = 0;
  #busySince: number | undefined;
  /** `performance.now()`. */
  #loadedAt: number | undefined;
  /** Whether the module has a `teardown`. */
  hasTeardown = false;
  /** Tasks that ended `done` here, of a module with a `teardown`; the first few of them by id. */
  readonly done: { count: number; ids: string[] } = { count: 0, ids: [] };
  #loading: { resolve(reply: LoadReply): void; reject(why: Error): void } | undefined;
  #dead = false;
  #teardown: { end(failure: Error | undefined): void } | undefined;
  /** What became of its tasks was told. */
  #givenUp = false;
  #batchNumber = 0;
  #ping: { answer: Promise<boolean>; resolve(answered: boolean): void } | undefined;
  readonly #module: string;
  readonly #grace: number;
  readonly #memory: number | undefined;
  readonly #link: ThreadLink;
  readonly #children: ThreadChildren;
  readonly #listener: ThreadListener;

  constructor(number: number, settings: ThreadSettings, listener: ThreadListener) {
    this.number = number;
    this.#module = settings.module;
    this.#grace = settings.grace;
    this.#memory = settings.memory;
    this.#listener = listener;
    this.#children = new ThreadChildren(settings.reaper, settings.grace);
    this.tasksLeft = settings.recycleAfterTasks ?? Infinity;
    const board = ThreadBoard.allocate(settings.lanes);
    this.board = new ThreadBoard(board);
    this.batches = Array.from({ length: settings.lanes });
    this.#link = new ThreadLink(
      {
        number,
        module: settings.module,
        board,
        clock: clock(),
        captureOutput: settings.captureOutput,
        children: this.#children.settings,
        memory: settings.memory,
        recycleAbove: settings.recycleAboveMemory,
      },
      settings.memory,
      {
        onMessage: (message) => this.#onMessage(message),
        onStray: () =>
          listener.onEvent(this, { type: 'misuse', misuse: { kind: 'posted' }, taskId: undefined, handler: undefined }),
        onError: (error) => void this.#die(error),
        // An error, if there was one, tells more, and was told before.
        onExit: (code) => void this.#die(new Error(`the thread exited with code: ${code}`)),
      },
    );
  }

  /** Bytes in use when it last looked: of its heap, and outside of it. */
  get memory(): { heap: number; external: number } {
    return this.board.memory;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** As `worker_threads.threadId` has it; `undefined` when it is gone. */
  get threadId(): number | undefined {
    return this.#link.threadId;
  }

  get busy(): boolean {
    return this.#busySince !== undefined;
  }

  /** Milliseconds in which this thread had work. */
  get busyMs(): number {
    return this.#busyMs + (this.#busySince === undefined ? 0 : performance.now() - this.#busySince);
  }

  /** Milliseconds since this thread was ready for work. */
  get readyMs(): number {
    return this.#loadedAt === undefined ? 0 : performance.now() - this.#loadedAt;
  }

  /** When its event loop last turned, or it took up a task; milliseconds since the epoch, as `now` counts. */
  get stirredAt(): number {
    let latest = this.board.lastBeat;
    for (const batch of this.batches) {
      if (batch !== undefined) latest = Math.max(latest, this.board.running(batch.lane)?.since ?? 0);
    }
    return latest;
  }

  /** Milliseconds for which a thread with work has shown no sign of life; 0 without work. */
  get silentMs(): number {
    if (this.#busySince === undefined) return 0;
    return Math.max(0, Math.min(now() - this.stirredAt, performance.now() - this.#busySince));
  }

  /** How far a task says it is, if it does. */
  progressOf({ lane }: Batch, task: ClaimedTask): { progress?: { done: number; total?: number } } {
    const last = this.progress[lane];
    if (last?.taskId !== idOf(task)) return {};
    const { done, total } = last;
    return { progress: { done, ...(total !== undefined && { total }) } };
  }

  /** Whether a task is running. */
  get running(): boolean {
    return this.batches.some((batch, lane) => batch !== undefined && this.board.running(lane) !== undefined);
  }

  /**
   * Loads the module; gives the names of its functions.
   * @throws HoldfastError ERR_HANDLER_MODULE
   */
  async load(): Promise<string[]> {
    let reply: LoadReply;
    const before = versionOf(this.#module);
    try {
      reply = await this.#requestLoad();
    } catch (error) {
      await this.end();
      throw this.#notLoaded((error as Error).message, error);
    }
    if (reply.type === 'loaded') {
      this.loaded = true;
      // Node does not tell which text it has read.
      this.version = versionOf(this.#module) === before ? before : undefined;
      this.#loadedAt = performance.now();
      this.hasTeardown = reply.hasTeardown;
      return reply.handlers;
    }
    await this.end();
    const { name, message, stack = '' } = reply.error;
    const cause = Object.assign(new Error(message), { stack });
    const where = name === 'SyntaxError' ? ' (node --check <file> shows where)' : placeIn(stack);
    throw this.#notLoaded(`${name === 'Error' ? '' : `${name}: `}${message}${where}`, cause);
  }

  #requestLoad(): Promise<LoadReply> {
    return new Promise<LoadReply>((resolve, reject) => {
      const late = () => reject(new Error(`it has not loaded within ${LOAD_DEADLINE_MS / 1000} s`));
      const timer = setTimeout(late, LOAD_DEADLINE_MS);
      this.#loading = {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (why) => {
          clearTimeout(timer);
          reject(new Error(`the thread died over it: ${why.message}`, { cause: why }));
        },
      };
      this.#link.send({ type: 'load' });
    });
  }

  /** A lane without a batch, if this thread may take one. */
  freeLane(): number | undefined {
    if (this.#dead || !this.accepting || this.blocked || this.tasksLeft === 0) return undefined;
    const lane = this.batches.indexOf(undefined);
    return lane === -1 ? undefined : lane;
  }

  /** Sends tasks to a free lane. */
  run(lane: number, tasks: readonly ClaimedTask[], epoch: number): void {
    const batch: Batch = { number: ++this.#batchNumber, lane, tasks, reported: 0, size: tasks.length };
    this.batches[lane] = batch;
    this.tasksLeft -= tasks.length;
    this.#busySince ??= performance.now();
    this.board.reset(lane);
    this.#link.send(batchRequest(batch, epoch));
  }

  /**
   * Resolves with true once the thread has answered, which an idle one does at
   * once; with false when it is gone. One at a time: until then, the same answer is waited for.
   */
  ping(): Promise<boolean> {
    if (this.#dead) return Promise.resolve(false);
    if (this.#ping === undefined) {
      let resolve!: (answered: boolean) => void;
      const answer = new Promise<boolean>((settle) => (resolve = settle));
      this.#ping = { answer, resolve };
      this.#link.send({ type: 'ping' });
    }
    return this.#ping.answer;
  }

  /** Takes back the tasks of a lane that have not been taken up yet. */
  takeRest(batch: Batch): readonly ClaimedTask[] {
    const first = this.board.takeRest(batch.lane, batch.size);
    const rest = batch.tasks.slice(first, batch.size);
    batch.size = first;
    this.tasksLeft += rest.length;
    return rest;
  }

  /** How many batches were sent here so far. */
  get batchesTaken(): number {
    return this.#batchNumber;
  }

  /** Whether a task that is running at that position of its batch is the first that ever ran here. */
  ranNothingBefore(position: number): boolean {
    return this.#batchNumber === 1 && position === 0;
  }

  /** Ends the thread by force; what it was doing is told by `onDeath`. */
  kill(cause: Error): void {
    const look = untilLookedAt();
    if (look === undefined) void this.#die(cause);
    else void look.then(() => this.#die(cause));
  }

  /** Whether the module's `teardown` was called, or is about to be: the thread takes nothing else any more. */
  get tearingDown(): boolean {
    return this.#teardown !== undefined;
  }

  /**
   * Lets the module tear down what it set up, once, in a thread that has loaded
   * and has no work. Gives why it could not; `undefined`: it did, or there is nothing to be done.
   */
  tearDown(): Promise<Error | undefined> {
    this.accepting = false;
    if (!this.hasTeardown || this.#dead || this.#teardown !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const late = () => resolve(new Error(`teardown has not ended within the grace of ${this.#grace} ms`));
      const timer = setTimeout(late, this.#grace);
      this.#teardown = {
        end: (failure) => {
          clearTimeout(timer);
          resolve(failure);
        },
      };
      this.#link.send({ type: 'teardown' });
    });
  }

  /** Ends a thread that has no work. */
  async end(): Promise<void> {
    this.#dead = true;
    await untilLookedAt();
    this.#link.terminate();
    await this.#gone();
    this.#loading?.reject(new Error('it was ended'));
    this.#answerPing(false);
  }

  /** Resolves once the thread has exited, or is not waited for any longer. */
  async #gone(): Promise<void> {
    const unended = { thread: this.number, tasks: this.#runningTasks() };
    if (await withDeadline(this.#link.exited)) return;
    keepUnended(unended, this.#link.exited);
    this.#listener.onUnended(unended);
  }

  #runningTasks(): string[] {
    return this.batches.flatMap((batch, lane) => {
      const running = batch && this.board.running(lane);
      return running === undefined ? [] : [idOf(batch!.tasks[running.position]!)];
    });
  }

  #notLoaded(why: string, cause: unknown): HoldfastError {
    return new HoldfastError('ERR_HANDLER_MODULE', `cannot load ${fileURLToPath(this.#module)}: ${why}`, {
      cause,
      ...(why.includes('EMFILE') && { hint: 'This process may open too few files: raise `ulimit -n`.' }),
    });
  }

  #onMessage(message: ThreadMessage): void {
    // Native code may let a thread go on long after it was given up; its tasks are others' by now.
    if (this.#givenUp) return;
    switch (message.type) {
      case 'loaded':
      case 'not-loaded':
        this.#link.answered();
        this.#loading?.resolve(message);
        break;
      case 'report':
        this.#onReport(message);
        break;
      case 'pong':
        this.#link.answered();
        this.#answerPing(true);
        break;
      case 'burst':
        this.kill(burstError(message, this.#memory));
        break;
      case 'torn-down':
        this.#link.answered();
        this.#teardown?.end(message.error && asError(message.error));
        break;
      case 'reaper':
      case 'child':
      case 'child-gone':
        this.#children.onEvent(message);
        break;
      default:
        this.#listener.onEvent(this, message);
    }
  }

  #answerPing(answered: boolean): void {
    this.#ping?.resolve(answered);
    this.#ping = undefined;
  }

  #onReport(report: BatchReport): void {
    const batch = this.batches[report.lane]!;
    this.blocked = false;
    batch.reported += report.ends.length;
    this.tasksDone += report.ends.length;
    if (this.hasTeardown) this.#countDone(batch, report);
    if (report.last) {
      this.#link.answered();
      this.batches[report.lane] = undefined;
      if (this.batches.every((other) => other === undefined)) this.#becomeIdle();
    }
    this.#listener.onReport(this, batch, report, report.last);
  }

  #countDone(batch: Batch, { first, ends }: BatchReport): void {
    for (let i = 0; i < ends.length; i++) {
      if (ends[i] !== AttemptEnd.done) continue;
      if (this.done.count++ < MAX_IDS) this.done.ids.push(idOf(batch.tasks[first + i]!));
    }
  }

  #becomeIdle(): void {
    this.#busyMs = this.busyMs;
    this.#busySince = undefined;
  }

  async #die(cause: Error): Promise<void> {
    if (this.#dead) return;
    if (!this.loaded) {
      this.#loading?.reject(cause);
      return;
    }
    this.#dead = true;
    this.#link.terminate();
    // What it sent last is told before its exit.
    await this.#gone();
    this.#answerPing(false);
    this.#givenUp = true;
    await this.#children.end();
    if (this.#teardown !== undefined) {
      this.#teardown.end(new Error(`the thread died in teardown: ${cause.message}`, { cause }));
      return;
    }
    this.#becomeIdle();
    this.#listener.onDeath(this, cause);
  }
}

function burstError({ heap, external }: { heap: number; external: number }, limit: number | undefined): Error {
  const counted = `${formatSize(heap)} of heap and ${formatSize(external)} of external memory`;
  const message = `the thread held ${counted}, above its limit of ${formatSize(limit ?? 0)}`;
  return Object.assign(new Error(message), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
}

/** What a thread told of an error, as an error. */
function asError({ name, message, stack = '' }: TaskErrorRecord): Error {
  return Object.assign(new Error(message), { name, stack });
}

/** The user's own line in a stack: the first frame that names a file. */
function placeIn(stack: string): string {
  const place = /file:\/\/\S+?:\d+(?::\d+)?/.exec(stack)?.[0];
  return place === undefined || place.includes('/system/load-module.') ? '' : ` (${place})`;
}

/** Whether it did in time. */
async function withDeadline(exited: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), EXIT_DEADLINE_MS)));
  const inTime = await Promise.race([exited.then(() => true), deadline]);
  clearTimeout(timer);
  return inTime;
}
