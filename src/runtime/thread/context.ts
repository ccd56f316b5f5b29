import { AbortReason, now, type ThreadBoard } from './board.js';
import { post } from './link.js';
import {
  abortedOf,
  abortWith,
  apply,
  defineProperty,
  format,
  inspect,
  isNativeError,
  OwnAbortController,
  OwnDOMException,
  signalOf,
  stringOf,
  workingDirectory,
} from './own.js';
import type { LogLevel } from './protocol.js';
import { TaskChildren, type StartArguments, type StartChild } from './task-children.js';

/** A handler may call `progress` in a tight loop; it is passed on at most once in this many milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

/** Logs a line, which carries the task's id and thread. `fields` must be plain data; what cannot travel is shown as text. */
export interface LogCall {
  (message: string, fields?: Record<string, unknown>): void;
  /** As pino has it; of an error alone, its message is the line's. */
  (fields: Record<string, unknown> | Error, message?: string): void;
  /** With `%s` and the like, as `util.format` has it. */
  (message: string, ...values: unknown[]): void;
}

/** What `context.log` has: a call for each level. */
export interface TaskLog {
  debug: LogCall;
  info: LogCall;
  warn: LogCall;
  error: LogCall;
}

/** What a handler gets as its second argument. */
export interface TaskContext {
  /** As it was given, or the name that the queue gave it: `#<number>`. */
  readonly taskId: string;
  /** Number of this attempt, from 1. An attempt that was interrupted through no fault of its own does not count. */
  readonly attempt: number;
  /**
   * Aborted when the task times out, is cancelled, or the run is to stop
   * at once. `signal.aborted` and `signal.throwIfAborted()` also work in a
   * loop that never yields.
   */
  readonly signal: AbortSignal;
  /** Logs lines that carry the id of the task. */
  readonly log: TaskLog;
  /** Reports how far the task is; shown by `runtime status`. At most ten reports a second are passed on. */
  progress(done: number, total?: number): void;
  /**
   * Runs a program to its end: `const { stdout } = await exec('git', ['status'])`. Takes and gives what execa
   * does; its standard input is empty unless the options say otherwise.
   *
   * However the task ends, the program ends with it, and so does all that it has started: by SIGTERM, and
   * after half of the grace by SIGKILL. An aborted `signal` ends it as well. Throws that signal's reason
   * when it was aborted before, and an `Error` once the task has ended.
   */
  readonly exec: StartChild;
  /** The same, for a program to talk to: its standard input is a pipe unless the options say otherwise. */
  readonly spawn: StartChild;
  /** The folder to work in, absolute. */
  readonly cwd: string;
  /**
   * Rises with each executor of the run. Pass it along when writing to a store
   * that can refuse older tokens, and a stale executor can do no harm there.
   */
  readonly fencingToken: number;
}

/** Where a running task stands on its thread: by this its abort requests are found. */
export interface Berth {
  board: ThreadBoard;
  lane: number;
  position: number;
}

/**
 * The context as the thread sees it. Made for every task, so it does nothing
 * until asked: most handlers never touch `signal` or `log`.
 */
export class RunningTaskContext implements TaskContext {
  readonly attempt: number;
  readonly fencingToken: number;
  readonly #id: string | number;
  readonly #berth: Berth;
  #controller: AbortController | undefined;
  #log: TaskLog | undefined;
  #lastProgress = -Infinity;
  #children: TaskChildren | undefined;
  /** Why it was to be aborted when its handler had ended, if children had to be waited for. */
  #abortRequestAtEnd: AbortReason | undefined;
  #ended = false;

  constructor(id: string | number, attempt: number, fencingToken: number, berth: Berth) {
    this.#id = id;
    this.attempt = attempt;
    this.fencingToken = fencingToken;
    this.#berth = berth;
  }

  get taskId(): string {
    return typeof this.#id === 'string' ? this.#id : `#${this.#id}`;
  }

  get cwd(): string {
    return workingDirectory();
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#createController();
    return signalOf(this.#controller);
  }

  get log(): TaskLog {
    this.#log ??= createLog(this.taskId, this.attempt);
    return this.#log;
  }

  /** A function of its own, as handlers take their context apart: `(input, { progress }) => …`. */
  get progress(): TaskContext['progress'] {
    return (done, total) => this.#passOnProgress(done, total);
  }

  get exec(): StartChild {
    return this.#starter('ignore');
  }

  get spawn(): StartChild {
    return this.#starter('pipe');
  }

  get hasChildren(): boolean {
    return this.#children !== undefined;
  }

  /** The handler has ended; resolves once all that it has started has, too. What comes meanwhile makes it no less timely. */
  async endChildren(): Promise<void> {
    if (!this.#ended) this.#abortRequestAtEnd = this.abortRequest;
    this.#ended = true;
    await this.#children!.close();
  }

  /** Why this task is to be aborted, if it is; it may not know yet. */
  get abortRequest(): AbortReason | undefined {
    if (this.#ended) return this.#abortRequestAtEnd;
    return this.#berth.board.abortRequest(this.#berth.lane, this.#berth.position);
  }

  /** Aborts the signal if that was asked for on the board. Called whenever the event loop turns. */
  deliverAbort(): void {
    const controller = this.#controller;
    if (controller === undefined || abortedOf(signalOf(controller))) return;
    const reason = this.#berth.board.abortToDeliver(this.#berth.lane, this.#berth.position);
    if (reason !== undefined) abortWith(controller, abortError(reason));
  }

  #starter(stdin: 'ignore' | 'pipe'): StartChild {
    return (...given: StartArguments) => {
      this.#children ??= new TaskChildren(this, this.signal);
      return this.#children.start(stdin, ...given) as never;
    };
  }

  #passOnProgress(done: number, total?: number): void {
    const time = now();
    if (time - this.#lastProgress < PROGRESS_INTERVAL_MS && done !== total) return;
    this.#lastProgress = time;
    post({
      type: 'progress',
      lane: this.#berth.lane,
      taskId: this.taskId,
      done,
      ...(total === undefined ? {} : { total }),
    });
  }

  /** A signal that looks at the board when it is polled, for handlers that never let the event loop turn. */
  #createController(): AbortController {
    const controller = new OwnAbortController();
    const signal = signalOf(controller);
    defineProperty(signal, 'aborted', {
      configurable: true,
      get: () => {
        this.deliverAbort();
        return abortedOf(signal);
      },
    });
    defineProperty(signal, 'throwIfAborted', {
      configurable: true,
      value: () => {
        if (signal.aborted) throw signal.reason;
      },
    });
    this.#controller = controller;
    this.deliverAbort();
    return controller;
  }
}

function abortError(reason: AbortReason): DOMException {
  switch (reason) {
    case AbortReason.timeout:
      return new OwnDOMException('the task ran for longer than its timeout', 'TimeoutError');
    case AbortReason.cancel:
      return new OwnDOMException('the task was cancelled', 'AbortError');
    case AbortReason.stop:
      return new OwnDOMException('the run is being stopped', 'AbortError');
  }
}

function createLog(taskId: string, attempt: number): TaskLog {
  const logger =
    (level: LogLevel): LogCall =>
    (...args: unknown[]) => {
      const { message, fields } = lineOf(args);
      try {
        post({ type: 'log', level, taskId, attempt, message, ...(fields === undefined ? {} : { fields }) });
      } catch {
        // A field that cannot be cloned: its text still tells more than nothing.
        post({ type: 'log', level, taskId, attempt, message, fields: { fields: inspect(fields) } });
      }
    };
  return { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') };
}

/** What a call says, in whichever form it is. */
function lineOf(args: readonly unknown[]): { message: string; fields?: Record<string, unknown> } {
  const first = args[0];
  const second = args[1];
  if (isNativeError(first)) return { message: stringOf(second ?? first.message), fields: { err: first } };
  if (isObject(first)) return { message: stringOf(second ?? ''), fields: first };
  if (args.length <= 2 && isObject(second)) return { message: stringOf(first), fields: second };
  if (args.length <= 1 || (args.length === 2 && second === undefined)) return { message: stringOf(first) };
  return { message: apply(format, undefined, args) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
