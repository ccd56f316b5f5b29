import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { untilLookedAt } from '../../debug/looks-under-way.js';
import { HoldfastError } from '../errors.js';
import type { ClaimedTask } from '../queue/contract.js';
import { idOf } from '../queue/generated-id.js';
import type { Encoded } from '../task.js';
import { clock, now, ThreadBoard } from '../thread/board.js';
import type {
  BatchReport,
  BatchRequest,
  Envelope,
  LoadReply,
  LoadRequest,
  PingRequest,
  TaskProgress,
  ThreadData,
  ThreadEvent,
} from '../thread/protocol.js';
import { keepUnended, type UnendedThread } from './unended.js';

const ENTRY = fileURLToPath(new URL('../thread/start.cjs', import.meta.url));

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

export interface ThreadSettings {
  /** `file:` URL of the module of handlers. */
  module: string;
  /** Tasks that one thread may have in flight. */
  lanes: number;
  captureOutput: boolean;
  /** Heap limit in bytes; `undefined`: V8's own. */
  memory: number | undefined;
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
  onEvent(thread: PoolThread, event: Exclude<ThreadEvent, { type: 'report' }>): void;
}

/**
 * One worker thread: a Piscina of one. Piscina starts it, carries the messages
 * and wakes it; a pool of our own around it decides which batch goes to which
 * thread, ends a single thread, and grows and shrinks, none of which Piscina
 * offers for a thread of its choice.
 */
export class PoolThread {
  readonly number: number;
  readonly board: ThreadBoard;
  readonly batches: (Batch | undefined)[];
  /** What was last told of a lane's progress; it may be of a task that has ended. */
  readonly progress: (TaskProgress | undefined)[] = [];
  /** Whether the thread takes batches: once it has loaded, until it is retired. */
  accepting = false;
  loaded = false;
  /** Of the text of the module that it has loaded; `undefined` where that changed meanwhile. */
  version: string | undefined;
  /** Whether its event loop has not turned for a while: it takes no batches until it does. */
  blocked = false;
  tasksDone = 0;
  /** Tasks that it still may take before it is to be replaced. */
  tasksLeft: number;
  heapUsed = 0;
  /** Milliseconds in which at least one lane had work, up to `#busySince`. */
  #busyMs = 0;
  #busySince: number | undefined;
  /** `performance.now()`. */
  #loadedAt: number | undefined;
  #diesLoading: ((cause: Error) => void) | undefined;
  #dead = false;
  #batchNumber = 0;
  #early: BatchReport[] = [];
  #pinged: Promise<boolean> | undefined;
  #exited = Promise.resolve();
  readonly #module: string;
  readonly #piscina: Piscina;
  readonly #listener: ThreadListener;

  constructor(number: number, settings: ThreadSettings, listener: ThreadListener) {
    this.number = number;
    this.#module = settings.module;
    this.#listener = listener;
    this.tasksLeft = settings.recycleAfterTasks ?? Infinity;
    const board = ThreadBoard.allocate(settings.lanes);
    this.board = new ThreadBoard(board);
    this.batches = Array.from({ length: settings.lanes });
    const workerData: ThreadData = {
      module: settings.module,
      board,
      clock: clock(),
      captureOutput: settings.captureOutput,
    };
    this.#piscina = new Piscina({
      filename: ENTRY,
      // None from the start: a thread that dies is replaced by us, and not before its tasks are accounted for.
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Infinity,
      // A batch for each lane, and a ping: none may wait in Piscina's own queue, which outlives the thread.
      concurrentTasksPerWorker: settings.lanes + 1,
      recordTiming: false,
      workerData,
      ...(settings.memory === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: Math.max(1, Math.round(settings.memory / 2 ** 20)) } }),
    });
    this.#piscina.on('error', (error: Error) => void this.#die(error));
    this.#piscina.on('message', (message: unknown) => this.#onMessage(message));
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** As `worker_threads.threadId` has it; `undefined` when it is gone. */
  get threadId(): number | undefined {
    return this.#piscina.threads[0]?.threadId;
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
    try {
      reply = await this.#requestLoad();
    } catch (error) {
      await this.end();
      throw this.#notLoaded((error as Error).message, error);
    }
    if ('handlers' in reply) {
      this.loaded = true;
      this.version = reply.version;
      this.#loadedAt = performance.now();
      const worker = this.#piscina.threads[0]!;
      this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
      // An idle thread that exits by itself (`process.exit` in a left-over timer) is told by nobody else.
      // An error, if there was one, tells more, and comes first but a microtask later.
      worker.once('exit', (code) =>
        setImmediate(() => void this.#die(new Error(`the thread exited with code ${code}`))),
      );
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
      const died = (error: Error) => reject(new Error(`the thread died over it: ${error.message}`, { cause: error }));
      // Piscina answers no request of a thread that never came up: it only tells of its death.
      this.#diesLoading = died;
      (this.#piscina.run({ type: 'load' } satisfies LoadRequest) as Promise<LoadReply>)
        .then(resolve, died)
        .finally(() => clearTimeout(timer));
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
    const request: BatchRequest = {
      type: 'batch',
      lane,
      batch: batch.number,
      epoch,
      ids: tasks.map((task) => task.id ?? task.seq),
      handlers: oneOrAll(tasks.map((task) => task.handler)),
      inputs: packed(tasks.map((task) => task.input)),
      attempts: oneOrAll(tasks.map((task) => task.attempts + 1)),
    };
    this.#piscina.run(request).then(
      (report: BatchReport) => this.#onReport(report),
      (error: unknown) => void this.#die(error as Error),
    );
  }

  /**
   * Resolves with true once the thread has answered, which an idle one does at
   * once; with false when it is gone. One at a time: until then, the same answer is waited for.
   */
  ping(): Promise<boolean> {
    this.#pinged ??= this.#piscina.run({ type: 'ping' } satisfies PingRequest).then(
      () => {
        this.#pinged = undefined;
        return true;
      },
      (error: unknown) => {
        // Piscina tells whoever waits for an answer, and then nobody else.
        void this.#die(error as Error);
        return false;
      },
    );
    return this.#pinged;
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

  /** Ends a thread that has no work. */
  async end(): Promise<void> {
    this.#dead = true;
    await untilLookedAt();
    await this.#gone(this.#piscina.destroy());
  }

  /** Resolves once the thread has exited, or is not waited for any longer. */
  async #gone(exited: Promise<unknown>): Promise<void> {
    const unended = { thread: this.number, tasks: this.#runningTasks() };
    if (await withDeadline(exited)) return;
    keepUnended(unended, exited);
    this.#listener.onUnended(unended);
  }

  #runningTasks(): string[] {
    return this.batches.flatMap((batch, lane) => {
      const running = batch && this.board.running(lane);
      return running === undefined ? [] : [idOf(batch!.tasks[running.position]!)];
    });
  }

  #notLoaded(why: string, cause: unknown): HoldfastError {
    return new HoldfastError('ERR_HANDLER_MODULE', `cannot load ${fileURLToPath(this.#module)}: ${why}`, { cause });
  }

  #onMessage(message: unknown): void {
    const event = (message as Partial<Envelope> | null)?.holdfast;
    if (event === undefined) return;
    if (event.type === 'report') this.#onReport(event);
    else this.#listener.onEvent(this, event);
  }

  /** The answer to a request and the reports before it come on two channels, so one may overtake the other. */
  #onReport(report: BatchReport): void {
    const batch = this.batches[report.lane];
    if (batch === undefined || batch.number !== report.batch) return;
    if (report.first !== batch.reported) {
      this.#early.push(report);
      return;
    }
    this.blocked = false;
    batch.reported += report.ends.length;
    this.tasksDone += report.ends.length;
    const last = report.heapUsed !== undefined;
    if (last) {
      this.heapUsed = report.heapUsed!;
      this.batches[report.lane] = undefined;
      if (this.batches.every((other) => other === undefined)) this.#becomeIdle();
    }
    this.#listener.onReport(this, batch, report, last);
    const next = this.#early.findIndex((early) => early.lane === report.lane && early.first === batch.reported);
    if (next !== -1) this.#onReport(this.#early.splice(next, 1)[0]!);
  }

  #becomeIdle(): void {
    this.#busyMs = this.busyMs;
    this.#busySince = undefined;
  }

  async #die(cause: Error): Promise<void> {
    if (this.#dead) return;
    if (!this.loaded) {
      this.#diesLoading?.(cause);
      return;
    }
    this.#dead = true;
    void this.#piscina.destroy();
    // The thread's last reports arrive before its exit does.
    await this.#gone(this.#exited);
    this.#becomeIdle();
    this.#listener.onDeath(this, cause);
  }
}

/** What is alike is sent once: a message of 500 tasks is a third faster to write so. */
function oneOrAll<T>(items: T[]): T | T[] {
  const [first] = items;
  return items.every((item) => item === first) ? first! : items;
}

function packed(inputs: Encoded[]): string | Encoded[] {
  return inputs.every((input) => typeof input === 'string') ? `[${inputs.join(',')}]` : inputs;
}

/** The user's own line in a stack: the first frame that names a file. */
function placeIn(stack: string): string {
  const place = /file:\/\/\S+?:\d+(?::\d+)?/.exec(stack)?.[0];
  return place === undefined || place.includes('/thread/load-module.') ? '' : ` (${place})`;
}

/** Whether it did in time. */
async function withDeadline(exited: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), EXIT_DEADLINE_MS)));
  const inTime = await Promise.race([exited.then(() => true), deadline]);
  clearTimeout(timer);
  return inTime;
}
