/**
 * The keeper's side: serves one executor after the other from a store that stays
 * open. It knows the contract, and no store in particular.
 */
import type { Duplex } from 'node:stream';
import type { QueueStore, TaskQueue } from '../contract.js';
import { Connection } from './connection.js';

/** How a keeper comes by the store. */
export interface Opening {
  /** @param fresh whether the run starts over: then it does not matter what was there before */
  open(fresh: boolean): Promise<QueueStore>;
  /** Removes a store of a run that starts over, if this error says that it cannot be read; else throws it again. */
  discard(error: unknown): Promise<void>;
  /** The executor has closed the queue, and is about to hear so. */
  onClosed?(): void;
}

export class KeeperServer {
  readonly #opening: Opening;
  #store: Promise<QueueStore> | undefined;
  /** Of the executor that joined last; `undefined`: none has, or it has closed the store. */
  #queue: TaskQueue | undefined;
  /** Whether that executor is there. */
  #isServed = false;
  /** What comes before the next may join. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(opening: Opening) {
    this.#opening = opening;
  }

  /** Opens the store, so that the first executor need not wait for it; what goes wrong is reported to that one. */
  openAhead(): void {
    this.#store ??= this.#opening.open(false);
    this.#store.catch(() => {});
  }

  /**
   * Serves an executor. Resolves when it is gone.
   * @returns whether it has closed the store
   */
  async serve(line: Duplex): Promise<boolean> {
    const connection = new Connection(line, {
      join: (fresh) => this.#inTurn(() => this.#join(fresh)),
      onClosed: (queue) => {
        if (queue === this.#queue) this.#forget();
        this.#opening.onClosed?.();
      },
    });
    await connection.ended;
    const { queue, hasClosed } = connection;
    await this.#inTurn(async () => {
      if (queue !== undefined && queue === this.#queue) await this.#leave();
    });
    return hasClosed;
  }

  /**
   * Closes the store, with no executor to come, if none has closed it; also where none has joined.
   * @param close closes the queue, and does what belongs to that
   */
  async end(close: (queue: TaskQueue) => Promise<unknown> = (queue) => queue.close()): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#store === undefined) return;
      await this.#leave();
      const queue = this.#queue ?? (await this.#store.then((store) => store.join()).catch(() => undefined));
      this.#forget();
      if (queue !== undefined) await close(queue);
    });
  }

  #forget(): void {
    this.#queue = undefined;
    this.#store = undefined;
    this.#isServed = false;
  }

  async #leave(): Promise<void> {
    if (!this.#isServed) return;
    this.#isServed = false;
    await (await this.#store!).left();
  }

  async #join(fresh: boolean): Promise<TaskQueue> {
    // Its line may be open still, held by something that it has started.
    await this.#leave();
    let queue: TaskQueue;
    try {
      queue = await this.#joinStore(fresh);
    } catch (error) {
      if (!fresh) throw error;
      await this.#opening.discard(error);
      queue = await this.#joinStore(fresh);
    }
    this.#queue = queue;
    this.#isServed = true;
    if (fresh) await queue.clear();
    return queue;
  }

  async #joinStore(fresh: boolean): Promise<TaskQueue> {
    this.#store ??= this.#opening.open(fresh);
    try {
      return await (await this.#store).join();
    } catch (error) {
      // The next one opens it anew, unless an executor before had it open.
      if (this.#queue === undefined) this.#store = undefined;
      throw error;
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#before.then(action);
    this.#before = turn.catch(() => {});
    return turn;
  }
}
