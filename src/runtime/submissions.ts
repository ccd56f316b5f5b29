import { HoldfastError } from '../base/errors.js';
import { Chunks, holdsTask, type Chunk } from './chunks.js';
import { SeqMap } from './queue/seq-map.js';
import { generatedId } from './queue/generated-id.js';
import type { AddedTask, AllAdded, ClaimedTask, QueueReader, Settlement, Submitting } from './queue/contract.js';
import { deliver, refuse, type Settle, type Waiter } from './waiters.js';
import { outcomeOf } from './task/task-outcome.js';
import type { NewTask, Outcome } from './task/task.js';
import { decode } from './task/codec.js';

/**
 * Tasks on their way into the queue, and who waits for their outcomes. What is
 * submitted in one tick is added in one call. A task is submitted some hundred
 * thousand times a second: every object counts.
 */
export class Submissions {
  readonly #queue: QueueReader & Submitting;
  /** In this tick. */
  readonly #submitted = new Chunks();
  /** Of earlier ticks, to be added one by one. */
  readonly #chunked = new Set<Chunk[]>();
  #pending = 0;
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
    return this.#pending;
  }

  /** Whether a task of that id was submitted, and not handed to the queue yet. */
  holds(id: string): boolean {
    return this.#submitted.holds(id) || [...this.#chunked].some((chunks) => holdsTask(chunks, id));
  }

  /** Resolves once the outcome of the task is durable, whatever it is. Rejects when the executor stops before. */
  outcomeOf(task: NewTask): Promise<Outcome> {
    return new Promise((settle) => this.#push(task, { wants: 'outcome', settle: settle as Settle }));
  }

  /** Resolves with what the handler returned, once that is durable. Rejects with `TaskError` if the task is not done. */
  resultOf(task: NewTask): Promise<unknown> {
    // So written, V8 makes of the promise no more than is used: neither this closure nor what would reject it.
    let settle!: Settle;
    const result = new Promise<unknown>((resolve) => {
      settle = resolve;
    });
    this.#push(task, settle);
    return result;
  }

  /**
   * As `resultOf`, for one that may `leave`: its promise is then settled by nobody.
   * @param onAdded called once the task is in the queue, before its outcome is told
   */
  watch(task: NewTask, onAdded: (added: AddedTask) => void): { result: Promise<unknown>; leave(): void } {
    let waiter!: Waiter;
    let seq: number | undefined;
    const result = new Promise<unknown>((settle) => {
      waiter = {
        wants: 'result',
        settle,
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
    if (state === 'done' && typeof result !== 'object' && typeof waiting === 'function') {
      waiting(result === undefined ? undefined : decode(result));
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
    for (const chunk of this.#submitted.takeAll()) this.#refuse(chunk, error);
  }

  /** Rejects all that still wait: nothing runs any more. */
  abandon(error: Error): void {
    this.close(error);
    for (const waiting of this.#waiters.values()) refuse(waiting, error);
    this.#waiters = new SeqMap();
  }

  #push(task: NewTask, waiter: Waiter): void {
    if (this.#closedBy) {
      refuse(waiter, this.#closedBy);
      return;
    }
    this.#pending += 1;
    if (this.#submitted.push(task, waiter)) this.#flushSoon();
  }

  /** Apart from what is done for each task: a function that makes a closure somewhere costs 40 bytes whenever it is called. */
  #flushSoon(): void {
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const chunks = this.#submitted.takeAll();
    const first = chunks.shift();
    if (first !== undefined) this.#add(first);
    if (chunks.length > 0) void this.#addInTurns(chunks);
  }

  /** Between chunks, what the threads sent gets its turn. */
  async #addInTurns(chunks: Chunk[]): Promise<void> {
    this.#chunked.add(chunks);
    while (chunks.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#add(chunks.shift()!);
    }
    this.#chunked.delete(chunks);
  }

  #add(chunk: Chunk): void {
    if (this.#closedBy) {
      this.#refuse(chunk, this.#closedBy);
      return;
    }
    this.onWaiting();
    this.#queue.add(chunk.tasks, 'with outcome').then(
      (added) => this.#onAdded(chunk, added),
      (error: Error) => this.#refuse(chunk, error),
    );
  }

  /** None of these is in the queue. */
  #refuse({ waiters }: Chunk, error: Error): void {
    this.#pending -= waiters.length;
    refuse(waiters, error);
  }

  #onAdded({ waiters }: Chunk, added: AddedTask[] | AllAdded): void {
    this.#pending -= waiters.length;
    for (let i = 0; i < waiters.length; i++) {
      if (Array.isArray(added)) this.#await(waiters[i]!, added[i]!);
      else this.#awaitNew(waiters[i]!, added.first + i);
    }
  }

  #awaitNew(waiter: Waiter, seq: number): void {
    if (typeof waiter !== 'function') this.#await(waiter, { seq, id: generatedId(seq), status: 'added' });
    else if (this.#closedBy) refuse(waiter, this.#closedBy);
    else this.#waiters.set(seq, waiter);
  }

  #await(waiter: Waiter, added: AddedTask): void {
    const { seq, status } = added;
    if (this.#closedBy || status === 'conflict') {
      refuse(waiter, status === 'conflict' ? taken(added.id) : this.#closedBy!);
      return;
    }
    const others = this.#waiters.get(seq);
    if (others === undefined) this.#waiters.set(seq, waiter);
    else if (Array.isArray(others)) others.push(waiter);
    else this.#waiters.set(seq, [others, waiter]);
    if (typeof waiter !== 'function') waiter.onAdded?.(added);
    if (status === 'duplicate') this.#lookUp(seq, added.id);
  }

  /** A task that was there before may have its outcome already. */
  #lookUp(seq: number, id: string): void {
    this.#queue.outcome(id).then(
      (outcome) => {
        if (outcome) this.deliver(seq, outcome);
      },
      (error: Error) => {
        const waiting = this.#waiters.take(seq);
        if (waiting !== undefined) refuse(waiting, error);
      },
    );
  }
}

function taken(id: string): HoldfastError {
  return new HoldfastError('ERR_TASK_CONFLICT', `the task id ${JSON.stringify(id)} is already taken in this run`, {
    hint: 'Its handler or its input differ. Give the task another id, or use another run id.',
  });
}
