import { HoldfastError } from '../../base/errors.js';
import { AbortReason, now, type ThreadBoard } from './board.js';
import { intact, replaced } from './builtins.js';
import { decode, encode } from '../task/codec.js';
import { RunningTaskContext } from './context.js';
import type { RunningTask } from '../../debug/running-tasks.js';
import type { TaskErrorRecord } from '../task/task.js';
import { toErrorRecord } from './error-record.js';
import type { Handler } from './handler-module.js';
import { post } from './link.js';
import { getFrom, isArray, jsonParse, setImmediateOf } from './own.js';
import { isTurnDue } from './turn.js';
import { AttemptEnd, type BatchReport, type BatchRequest } from './protocol.js';

/**
 * After this many milliseconds of work a lane tells what has ended so far, so
 * that much at most is done again when the thread dies. It can only do so
 * between two tasks: behind one that never yields, what ended just before it
 * waits. A message costs about 20 µs, so this keeps it near 1%.
 */
const REPORT_AFTER_MS = 8;

/** What has ended and was not told of yet. */
interface GrowingReport extends Pick<BatchReport, 'first' | 'ends' | 'payloads'> {
  startedAt: number[];
  durationMs: number[];
}

/** Works through batches, one after the other, one task at a time. */
export class Lane {
  readonly #number: number;
  readonly #board: ThreadBoard;
  readonly #handlers: Map<string, Handler>;
  #current: RunningTaskContext | undefined;
  #currentHandler = '';
  /**
   * What the running task gave. A promise that nothing can settle any more is
   * referred to by nothing else, and the task would be collected as garbage:
   * no look into this thread could find it.
   */
  pending: PromiseLike<unknown> | undefined;
  #report: GrowingReport | undefined;
  #reportedAt = 0;
  #endedAt = 0;
  #reportScheduled = false;

  constructor(number: number, board: ThreadBoard, handlers: Map<string, Handler>) {
    this.#number = number;
    this.#board = board;
    this.#handlers = handlers;
  }

  /** Called whenever the thread's event loop turns. */
  turn(): void {
    this.#current?.deliverAbort();
  }

  /** The attempt that is running now. */
  get current(): { readonly taskId: string; readonly attempt: number } | undefined {
    return this.#current;
  }

  /** The task that is running now, for whoever looks into this thread. */
  get running(): RunningTask | undefined {
    const since = this.#board.running(this.#number)?.since;
    const handler = getFrom(this.#handlers, this.#currentHandler);
    if (this.#current === undefined || since === undefined || handler === undefined) return undefined;
    const { taskId: id, attempt } = this.#current;
    const task = { id, handler: this.#currentHandler, attempt, ageMs: now() - since };
    return { context: this.#current, task, handler };
  }

  /**
   * Works through a batch; `conclude` tells of its end.
   * @param betweenTasks is to let the event loop turn
   */
  async run(request: BatchRequest, betweenTasks: () => Promise<void>): Promise<void> {
    const size = request.ids.length;
    const inputs = typeof request.inputs === 'string' ? (jsonParse(request.inputs) as unknown[]) : undefined;
    this.#startReport(0);
    this.#reportedAt = now();
    for (;;) {
      const position = this.#board.take(this.#number, size);
      if (position === undefined) break;
      const waiting = this.#attempt(request, position, inputs);
      // To await what is no promise would cost a turn of the microtask queue for each synchronous task.
      if (waiting !== undefined) await waiting;
      if (position + 1 === size || !isTurnDue(this.#endedAt)) continue;
      // First of all, as something that a task left behind may end the thread in that turn.
      this.#sendReport();
      await betweenTasks();
    }
  }

  /** When its last task ended, as `now` counts. */
  get endedAt(): number {
    return this.#endedAt;
  }

  conclude(): void {
    this.#post(true);
    this.#report = undefined;
    this.#board.measure();
  }

  /** Runs one task; gives a promise only if the handler did. */
  #attempt(request: BatchRequest, position: number, parsed: unknown[] | undefined): Promise<void> | undefined {
    const startedAt = this.#board.begin(this.#number, position);
    if (this.#report!.ends.length > 0 && startedAt - this.#reportedAt > REPORT_AFTER_MS) this.#sendReport();
    const id = request.ids[position]!;
    const context = new RunningTaskContext(id, itemAt(request.attempts, position), request.fencingToken, {
      board: this.#board,
      lane: this.#number,
      position,
    });
    this.#current = context;
    this.#currentHandler = itemAt(request.handlers, position);
    try {
      const handler = this.#handler(this.#currentHandler);
      const input = parsed === undefined ? decode(request.inputs[position]!) : parsed[position];
      const value = handler(input, context);
      if (isThenable(value)) return this.#settle(value, context, startedAt);
      if (context.hasChildren) return this.#settle(Promise.resolve(value), context, startedAt);
      this.#succeed(value, context, startedAt);
    } catch (error) {
      if (context.hasChildren) return this.#settle(Promise.reject(error), context, startedAt);
      this.#fail(error, context, startedAt);
    }
    return undefined;
  }

  /** A task may have been queued by an executor whose module had more handlers than this one. */
  #handler(name: string): Handler {
    const handler = getFrom(this.#handlers, name);
    if (handler !== undefined) return handler;
    throw new HoldfastError('ERR_HANDLER_MISSING', `the module exports no function "${name}"`);
  }

  async #settle(promise: PromiseLike<unknown>, context: RunningTaskContext, startedAt: number): Promise<void> {
    this.#scheduleReport();
    this.pending = promise;
    try {
      const value = await promise;
      if (context.hasChildren) await context.endChildren();
      this.#succeed(value, context, startedAt);
    } catch (error) {
      // Another attempt must not begin while they live.
      if (context.hasChildren) await context.endChildren();
      this.#fail(error, context, startedAt);
    }
  }

  /** @throws what `encode` throws, and then nothing is recorded */
  #succeed(value: unknown, context: RunningTaskContext, startedAt: number): void {
    // What ran over its timeout is late, whatever it brought in the end.
    if (context.abortRequest === AbortReason.timeout) {
      this.#record(AttemptEnd.timedOut, TIMED_OUT, startedAt);
      return;
    }
    const result = value === undefined ? undefined : encode(value, 'the result');
    this.#record(AttemptEnd.done, result, startedAt);
  }

  #fail(thrown: unknown, context: RunningTaskContext, startedAt: number): void {
    const end = endOfFailure(context.abortRequest);
    const { stack, ...thrownRecord } = toErrorRecord(thrown);
    const record = end === AttemptEnd.failed ? thrownRecord : end === AttemptEnd.cancelled ? CANCELLED : TIMED_OUT;
    this.#record(end, stack === undefined ? record : { ...record, stack }, startedAt);
  }

  #record(end: AttemptEnd, payload: BatchReport['payloads'][number], startedAt: number): void {
    this.#board.end(this.#number);
    if (!intact()) this.#tellReplaced();
    this.#current = undefined;
    this.pending = undefined;
    const report = this.#report!;
    const { length } = report.ends;
    report.ends[length] = end;
    report.payloads[length] = payload;
    report.startedAt[length] = startedAt;
    this.#endedAt = now();
    report.durationMs[length] = this.#endedAt - startedAt;
  }

  #tellReplaced(): void {
    const { taskId } = this.#current!;
    const names = replaced();
    for (let i = 0; i < names.length; i++) {
      const misuse = { kind: 'replaced', name: names[i]! } as const;
      post({ type: 'misuse', misuse, taskId, handler: this.#currentHandler });
    }
  }

  #startReport(first: number): void {
    this.#report = { first, ends: [], payloads: [], startedAt: [], durationMs: [] };
  }

  #post(last: boolean): void {
    const { first, ends, payloads, startedAt, durationMs } = this.#report!;
    post({ type: 'report', lane: this.#number, first, ends, payloads, startedAt, durationMs, last });
  }

  #sendReport(): void {
    const { first, ends } = this.#report!;
    this.#post(false);
    this.#reportedAt = now();
    this.#startReport(first + ends.length);
  }

  /** The event loop comes to its idle phase while a task of this lane waits: time to tell what has ended. */
  #scheduleReport(): void {
    if (this.#reportScheduled || this.#report!.ends.length === 0) return;
    this.#reportScheduled = true;
    setImmediateOf(() => {
      this.#reportScheduled = false;
      if (this.#report !== undefined && this.#report.ends.length > 0) this.#sendReport();
    });
  }
}

function itemAt<T extends string | number>(items: T | T[], position: number): T {
  return isArray(items) ? items[position]! : items;
}

function endOfFailure(abortRequest: AbortReason | undefined): AttemptEnd {
  switch (abortRequest) {
    case AbortReason.timeout:
      return AttemptEnd.timedOut;
    case AbortReason.cancel:
      return AttemptEnd.cancelled;
    case AbortReason.stop:
      return AttemptEnd.interrupted;
    case undefined:
      return AttemptEnd.failed;
  }
}

// What is thrown after an abort is mostly the abort itself; only where it was thrown tells more.
const TIMED_OUT: TaskErrorRecord = {
  name: 'TimeoutError',
  message: 'the task ran for longer than its timeout',
  code: 'ERR_TASK_TIMED_OUT',
};
const CANCELLED: TaskErrorRecord = {
  name: 'AbortError',
  message: 'the task was cancelled',
  code: 'ERR_TASK_CANCELLED',
};

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
