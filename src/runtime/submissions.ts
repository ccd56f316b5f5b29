import { HoldfastError } from '../base/errors.js';
import { SeqMap } from './queue/seq-map.js';
import type { AddedTask, ClaimedTask, QueueReader, Settlement, Submitting } from './queue/contract.js';
import { TaskError } from './task/task-error.js';
import { decodeOutcome, outcomeOf, valueOf } from './task/task-outcome.js';
import type { NewTask, Outcome } from './task/task.js';
import { decode } from './task/codec.js';

/** Tasks that go to the queue in one call. Larger ones would keep the main thread from feeding the threads. */
const CHUNK = 1000;

interface Waiter {
  /** Whether it waits for what the handler returned, or for the whole outcome. */
  readonly wants: 'result' | 'outcome';
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** Told once the task is in the queue. */
  onAdded?(added: AddedTask): void;
}

/**
 * Tasks on their way into the queue, and who waits for their outcomes. What is
 * submitted in one tick is added in one call.
 */
export class Submissions {
  readonly #queue: QueueReader & Submitting;
  /** In step with each other. A task is submitted some hundred thousand times a second: every object counts. */
  #pendingTasks: NewTask[] = [];
  #pendingWaiters: Waiter[] = [];
  #adding = 0;
  /** What is added chunk by chunk, up to the chunk that comes next. */
  readonly #chunked = new Set<{ tasks: NewTask[]; next: number }>();
  #closedBy: Error | undefined;
  /** By sequence number. Seldom more than one waits for the same task. */
  #waiters = new SeqMap<Waiter | Waiter[]>();

  constructor(queue: QueueReader & Submitting) {
    this.#queue = queue;
  }

  /** Called when there is somebody more who waits, once for all of a tick. */
  onWaiting: () => void = () => {};

  /** Whether somebody waits for an outcome. */
  get isWaitedFor(): boolean {
    return this.pending > 0 || !this.#waiters.isEmpty;
  }

  /** Tasks that are not in the queue yet. */
  get pending(): number {
    return this.#pendingTasks.length + this.#adding;
  }

  /** Whether a task of that id was submitted, and not handed to the queue yet. */
  holds(id: string): boolean {
    const has = (tasks: NewTask[]) => tasks.some((task) => task.id === id);
    return has(this.#pendingTasks) || [...this.#chunked].some(({ tasks, next }) => has(tasks.slice(next)));
  }

  /** Resolves once the outcome of the task is durable, whatever it is. Rejects when the executor stops before. */
  outcomeOf(task: NewTask): Promise<Outcome> {
    return this.#submit(task, 'outcome') as Promise<Outcome>;
  }

  /** Resolves with what the handler returned, once that is durable. Rejects with `TaskError` if the task is not done. */
  resultOf(task: NewTask): Promise<unknown> {
    return this.#submit(task, 'result');
  }

  /**
   * As `resultOf`, for one that may `leave`: its promise is then settled by nobody.
   * @param onAdded called once the task is in the queue, before its outcome is told
   */
  watch(task: NewTask, onAdded: (added: AddedTask) => void): { result: Promise<unknown>; leave(): void } {
    let waiter!: Waiter;
    let seq: number | undefined;
    const result = new Promise<unknown>((resolve, reject) => {
      waiter = {
        wants: 'result',
        resolve,
        reject,
        onAdded: (added) => {
          ({ seq } = added);
          onAdded(added);
        },
      };
    });
    this.#push(task, waiter);
    return { result, leave: () => seq !== undefined && this.#leave(seq, waiter) };
  }

  /** Whether several wait for a task, or are about to. */
  isShared({ seq, id }: AddedTask): boolean {
    return Array.isArray(this.#waiters.get(seq)) || this.holds(id);
  }

  #leave(seq: number, waiter: Waiter): void {
    const waiting = this.#waiters.take(seq);
    if (waiting === undefined) return;
    const others = [waiting].flat().filter((each) => each !== waiter);
    if (others.length > 0) this.#waiters.set(seq, others.length === 1 ? others[0]! : others);
  }

  /** @throws why no more tasks are taken, if so */
  refuseIfClosed(): void {
    if (this.#closedBy) throw this.#closedBy;
  }

  /** Adds tasks nobody waits for; resolves once they are durable. */
  async add(tasks: readonly NewTask[]): Promise<AddedTask[]> {
    this.refuseIfClosed();
    return this.#queue.add(tasks);
  }

  /** Hands an outcome to those who wait for it. */
  settle(task: ClaimedTask, settlement: Settlement & { kind: 'outcome' }): void {
    const waiting = this.#waiters.take(task.seq);
    if (waiting === undefined) return;
    const { state, result } = settlement;
    // The way nearly all go: without an object for the outcome in between.
    if (state === 'done' && typeof result !== 'object' && !Array.isArray(waiting) && waiting.wants === 'result') {
      waiting.resolve(result === undefined ? undefined : decode(result));
    } else deliver(waiting, outcomeOf(task, settlement));
  }

  /** Hands an outcome that was recorded elsewhere to those who wait for it. */
  deliver(seq: number, outcome: Outcome): void {
    const waiting = this.#waiters.take(seq);
    if (waiting !== undefined) deliver(waiting, outcome);
  }

  /** Takes no more. Those who wait for a task that is running may still get its outcome. */
  close(error: Error): void {
    this.#closedBy ??= error;
    this.#pendingTasks = [];
    for (const { reject } of this.#pendingWaiters.splice(0)) reject(error);
  }

  /** Rejects all that still wait: nothing runs any more. */
  abandon(error: Error): void {
    this.close(error);
    for (const waiting of this.#waiters.values()) {
      for (const { reject } of [waiting].flat()) reject(error);
    }
    this.#waiters = new SeqMap();
  }

  #submit(task: NewTask, wants: Waiter['wants']): Promise<unknown> {
    return new Promise((resolve, reject) => this.#push(task, { wants, resolve, reject }));
  }

  #push(task: NewTask, waiter: Waiter): void {
    if (this.#closedBy) {
      waiter.reject(this.#closedBy);
      return;
    }
    this.#pendingWaiters.push(waiter);
    if (this.#pendingTasks.push(task) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const tasks = this.#pendingTasks;
    const waiters = this.#pendingWaiters;
    if (tasks.length === 0) return;
    this.#pendingTasks = [];
    this.#pendingWaiters = [];
    if (tasks.length <= CHUNK) this.#add(tasks, waiters);
    else void this.#addInChunks(tasks, waiters);
  }

  /** Between chunks, what the threads sent gets its turn. */
  async #addInChunks(tasks: NewTask[], waiters: Waiter[]): Promise<void> {
    const progress = { tasks, next: 0 };
    this.#chunked.add(progress);
    this.#adding += tasks.length;
    while (progress.next < tasks.length) {
      const start = progress.next;
      progress.next += CHUNK;
      const chunk = tasks.slice(start, progress.next);
      // From here on it counts for itself. Taken off any later, its outcomes could be there
      // before, and whoever waits for the executor to be idle would not hear of it.
      this.#adding -= chunk.length;
      this.#add(chunk, waiters.slice(start, progress.next));
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#chunked.delete(progress);
  }

  #add(tasks: NewTask[], waiters: Waiter[]): void {
    if (this.#closedBy) {
      for (const { reject } of waiters) reject(this.#closedBy);
      return;
    }
    this.#adding += tasks.length;
    this.onWaiting();
    this.#queue.add(tasks).then(
      (added) => {
        this.#adding -= tasks.length;
        for (let i = 0; i < added.length; i++) this.#await(waiters[i]!, added[i]!);
      },
      (error: Error) => {
        this.#adding -= tasks.length;
        for (const { reject } of waiters) reject(error);
      },
    );
  }

  #await(waiter: Waiter, added: AddedTask): void {
    const { seq, id, status } = added;
    if (status === 'conflict') {
      waiter.reject(
        new HoldfastError('ERR_TASK_CONFLICT', `the task id ${JSON.stringify(id)} is already taken in this run`, {
          hint: 'Its handler or its input differ. Give the task another id, or use another run id.',
        }),
      );
      return;
    }
    if (this.#closedBy) {
      waiter.reject(this.#closedBy);
      return;
    }
    const others = this.#waiters.get(seq);
    if (others === undefined) this.#waiters.set(seq, waiter);
    else if (Array.isArray(others)) others.push(waiter);
    else this.#waiters.set(seq, [others, waiter]);
    waiter.onAdded?.(added);
    if (status === 'duplicate') this.#lookUp(seq, id);
  }

  /** A task that was there before may have its outcome already. */
  #lookUp(seq: number, id: string): void {
    this.#queue.outcome(id).then(
      (outcome) => {
        if (outcome) this.deliver(seq, outcome);
      },
      (error: Error) => {
        const waiting = this.#waiters.take(seq);
        for (const { reject } of waiting === undefined ? [] : [waiting].flat()) reject(error);
      },
    );
  }
}

function deliver(waiting: Waiter | Waiter[], outcome: Outcome): void {
  for (const { wants, resolve, reject } of Array.isArray(waiting) ? waiting : [waiting]) {
    try {
      if (wants === 'outcome') resolve(outcome);
      else if (outcome.state === 'done') resolve(valueOf(outcome));
      else reject(new TaskError(decodeOutcome(outcome) as ConstructorParameters<typeof TaskError>[0]));
    } catch (error) {
      reject(error as Error);
    }
  }
}
