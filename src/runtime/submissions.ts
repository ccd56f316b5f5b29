import { HoldfastError } from './errors.js';
import type { AddedTask, TaskQueue } from './queue/contract.js';
import type { NewTask, Outcome } from './task.js';

/** Tasks that go to the queue in one call. Larger ones would keep the main thread from feeding the threads. */
const CHUNK = 1000;

interface Waiter {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

interface Submission extends Waiter {
  task: NewTask;
}

/**
 * Tasks on their way into the queue, and who waits for their outcomes. What is
 * submitted in one tick is added in one call.
 */
export class Submissions {
  readonly #queue: TaskQueue;
  readonly #onAdded: () => void;
  #pending: Submission[] = [];
  #adding = 0;
  #closedBy: Error | undefined;
  /** By sequence number. Seldom more than one waits for the same task. */
  readonly #waiters = new Map<number, Waiter | Waiter[]>();

  /** @param onAdded called in the tick in which tasks were handed to the queue */
  constructor(queue: TaskQueue, onAdded: () => void) {
    this.#queue = queue;
    this.#onAdded = onAdded;
  }

  /** Tasks that are not in the queue yet. */
  get pending(): number {
    return this.#pending.length + this.#adding;
  }

  /** Resolves once the outcome of the task is durable, whatever it is. Rejects when the executor stops before. */
  outcomeOf(task: NewTask): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy) {
        reject(this.#closedBy);
        return;
      }
      if (this.#pending.push({ task, resolve, reject }) === 1) queueMicrotask(() => this.#flush());
    });
  }

  /** Adds tasks nobody waits for; resolves once they are durable. */
  async add(tasks: readonly NewTask[]): Promise<AddedTask[]> {
    if (this.#closedBy) throw this.#closedBy;
    const added = this.#queue.add(tasks);
    this.#onAdded();
    return added;
  }

  /** Hands an outcome to those who wait for it. */
  settle(seq: number, outcome: () => Outcome): void {
    const waiting = this.#waiters.get(seq);
    if (waiting === undefined) return;
    this.#waiters.delete(seq);
    if (Array.isArray(waiting)) for (const waiter of waiting) waiter.resolve(outcome());
    else waiting.resolve(outcome());
  }

  /** Takes no more, and rejects all that wait. */
  close(error: Error): void {
    this.#closedBy ??= error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
    for (const waiting of this.#waiters.values()) {
      for (const { reject } of Array.isArray(waiting) ? waiting : [waiting]) reject(error);
    }
    this.#waiters.clear();
  }

  #flush(): void {
    const chunk = this.#pending.length <= CHUNK ? this.#pending.splice(0) : this.#pending.splice(0, CHUNK);
    if (chunk.length === 0) return;
    // Between chunks, what the threads sent gets its turn.
    if (this.#pending.length > 0) setImmediate(() => this.#flush());
    this.#adding += chunk.length;
    this.#queue.add(chunk.map(({ task }) => task)).then(
      (added) => {
        this.#adding -= chunk.length;
        for (let i = 0; i < chunk.length; i++) this.#await(chunk[i]!, added[i]!);
      },
      (error: Error) => {
        this.#adding -= chunk.length;
        for (const { reject } of chunk) reject(error);
      },
    );
    this.#onAdded();
  }

  #await(submission: Submission, { seq, id, status }: AddedTask): void {
    if (status === 'conflict') {
      submission.reject(
        new HoldfastError('ERR_TASK_CONFLICT', `the task id ${JSON.stringify(id)} is already taken in this run`, {
          hint: 'Its handler or its input differ. Give the task another id, or use another run id.',
        }),
      );
      return;
    }
    if (this.#closedBy) {
      submission.reject(this.#closedBy);
      return;
    }
    const others = this.#waiters.get(seq);
    if (others === undefined) this.#waiters.set(seq, submission);
    else if (Array.isArray(others)) others.push(submission);
    else this.#waiters.set(seq, [others, submission]);
    if (status === 'duplicate') this.#lookUp(seq, id);
  }

  /** A task that was there before may have its outcome already. */
  #lookUp(seq: number, id: string): void {
    this.#queue.outcome(id).then(
      (outcome) => {
        if (outcome) this.settle(seq, () => outcome);
      },
      (error: Error) => {
        const waiting = this.#waiters.get(seq);
        this.#waiters.delete(seq);
        for (const { reject } of waiting === undefined ? [] : [waiting].flat()) reject(error);
      },
    );
  }
}
