import { untilLookedAt } from '../../../debug/looks-under-way.js';
import type { TaskErrorRecord } from '../../task/task.js';
import { clock } from '../../thread/board.js';
import type { BatchReport, BatchRequest, TaskEvent, ThreadMessage } from '../../thread/protocol.js';
import { ModuleLoad } from './module-load.js';
import { Question } from './question.js';
import { ThreadChildren } from './thread-children.js';
import { burstError, goneOrGivenUp } from './thread-death.js';
import { ThreadLink } from './thread-link.js';
import type { ThreadSettings } from './thread-settings.js';
import { isOver, mayFollow, type ThreadState } from './thread-state.js';
import type { UnendedThread } from './unended.js';

export interface ThreadLifeListener {
  /** It has loaded its module. */
  onLoaded(): void;
  onReport(report: BatchReport): void;
  onEvent(event: TaskEvent): void;
  /** It is gone with what it had, and nobody ended it without work. Once. */
  onDeath(cause: Error): void;
  /** It was ended, is waited for no longer, and has not ended. */
  onUnended(thread: UnendedThread): void;
  /** Ids of the tasks that are running in it. */
  runningTasks(): string[];
}

/** A thread from its start to its end: its state, what it is asked and answers, and how it goes. */
export class ThreadLife {
  readonly #number: number;
  readonly #memory: number | undefined;
  readonly #listener: ThreadLifeListener;
  readonly #link: ThreadLink;
  readonly #children: ThreadChildren;
  readonly #load: ModuleLoad;
  /** Whether it is there at all. */
  readonly #ping: Question<boolean>;
  /** Why the module could not be torn down; `undefined`: it was. */
  readonly #teardown: Question<Error | undefined>;
  #state: ThreadState = 'loading';
  #hasTeardown = false;

  constructor(number: number, settings: ThreadSettings, board: SharedArrayBuffer, listener: ThreadLifeListener) {
    const { module, memory, grace } = settings;
    this.#number = number;
    this.#memory = memory;
    this.#listener = listener;
    this.#children = new ThreadChildren(settings.reaper, grace);
    this.#link = new ThreadLink(
      {
        number,
        module,
        board,
        clock: clock(),
        captureOutput: settings.captureOutput,
        children: this.#children.settings,
        memory,
        recycleAbove: settings.recycleAboveMemory,
      },
      memory,
      {
        onMessage: (message) => this.#onMessage(message),
        onStray: () =>
          listener.onEvent({ type: 'misuse', misuse: { kind: 'posted' }, taskId: undefined, handler: undefined }),
        onError: (error) => void this.#die(error),
        // An error, if there was one, tells more, and was reported before.
        onExit: (code) => void this.#die(new Error(`the thread exited with code: ${code}`)),
      },
    );
    this.#load = new ModuleLoad(module, () => this.#link.send({ type: 'load' }));
    this.#ping = new Question(() => this.#link.send({ type: 'ping' }));
    this.#teardown = new Question(() => this.#link.send({ type: 'teardown' }), {
      ms: grace,
      late: (question) => question.answer(new Error(`teardown has not ended within the grace of ${grace} ms`)),
    });
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** As `worker_threads.threadId` has it; `undefined` when it is gone. */
  get threadId(): number | undefined {
    return this.#link.threadId;
  }

  /** Whether the module has a `teardown`. */
  get hasTeardown(): boolean {
    return this.#hasTeardown;
  }

  /** Goes into a state, where that may follow; gives whether it did. */
  become(next: ThreadState): boolean {
    if (!mayFollow(this.#state, next)) return false;
    this.#state = next;
    return true;
  }

  /**
   * Loads the module; gives the names of its functions, and the version of its text.
   * @throws HoldfastError ERR_HANDLER_MODULE
   */
  async load(): ReturnType<ModuleLoad['load']> {
    try {
      return await this.#load.load();
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Sends tasks, of which the thread will report. */
  send(batch: BatchRequest): void {
    this.#link.send(batch);
  }

  /**
   * Resolves with true once the thread has answered, which an idle one does at
   * once; with false when it is gone. One at a time: until then, the same answer is waited for.
   */
  ping(): Promise<boolean> {
    return isOver(this.#state) ? Promise.resolve(false) : this.#ping.ask();
  }

  /**
   * Lets the module tear down what it set up, once, in a thread that has loaded
   * and has no work. Gives why it could not; `undefined`: it did, or there is nothing to be done.
   */
  tearDown(): Promise<Error | undefined> {
    this.become('retired');
    if (!this.#hasTeardown || !this.become('tearing-down')) return Promise.resolve(undefined);
    return this.#teardown.ask();
  }

  /** Ends the thread by force; what it was doing is told by `onDeath`. */
  kill(cause: Error): void {
    const look = untilLookedAt();
    if (look === undefined) void this.#die(cause);
    else void look.then(() => this.#die(cause));
  }

  /** Ends a thread that has no work. */
  async end(): Promise<void> {
    this.become('ended');
    await untilLookedAt();
    this.#link.terminate();
    await this.#gone();
    this.#load.onDeath(new Error('it was ended'));
    this.#ping.answer(false);
  }

  async #die(cause: Error): Promise<void> {
    if (this.#state === 'loading') this.#load.onDeath(cause);
    const before = this.#state;
    if (!this.become('dying')) return;
    this.#link.terminate();
    // What it sent last is told before its exit.
    await this.#gone();
    this.#ping.answer(false);
    this.become('lost');
    await this.#children.end();
    if (before === 'tearing-down') {
      this.#teardown.answer(new Error(`the thread died in teardown: ${cause.message}`, { cause }));
    } else this.#listener.onDeath(cause);
  }

  /** Resolves once the thread has exited, or is not waited for any longer. */
  #gone(): Promise<void> {
    const thread = { thread: this.#number, tasks: this.#listener.runningTasks() };
    return goneOrGivenUp(thread, this.#link.exited, (unended) => this.#listener.onUnended(unended));
  }

  #onMessage(message: ThreadMessage): void {
    // Native code may let a thread go on long after it was given up; its tasks are others' by now.
    if (this.#state === 'lost') return;
    switch (message.type) {
      case 'loaded':
        this.#link.answered();
        // At once: it may be gone before whoever waits for it is told.
        this.become('loaded');
        this.#hasTeardown = message.hasTeardown;
        this.#listener.onLoaded();
        this.#load.onReply(message);
        break;
      case 'not-loaded':
        this.#link.answered();
        this.#load.onReply(message);
        break;
      case 'report':
        if (message.last) this.#link.answered();
        this.#listener.onReport(message);
        break;
      case 'pong':
        this.#link.answered();
        this.#ping.answer(true);
        break;
      case 'burst':
        this.kill(burstError(message, this.#memory));
        break;
      case 'torn-down':
        this.#link.answered();
        this.#teardown.answer(message.error && asError(message.error));
        break;
      case 'reaper':
      case 'child':
      case 'child-gone':
        this.#children.onEvent(message);
        break;
      default:
        this.#listener.onEvent(message);
    }
  }
}

/** What a thread told of an error, as an error. */
function asError({ name, message, stack = '' }: TaskErrorRecord): Error {
  return Object.assign(new Error(message), { name, stack });
}
