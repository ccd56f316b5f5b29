/** What a worker tells the main thread, by the protocol within the protocol. */
interface FromWorker {
  params: { message: string };
}

/** How long a process that ends waits for its workers to answer, in ms. */
const PATIENCE_MS = 2_000;

/**
 * Counts what workers were asked and have not answered yet, as it comes: within
 * an interrupt nothing more may be done.
 *
 * Workers that had not answered yet were seen to stay when the process exited,
 * and it with them (V8 of Node 20, 22 and 24). So a process that exits lets them
 * answer first.
 */
export class Unanswered {
  #count = 0;

  /** Called with each method that is sent. */
  asked(method: string): void {
    if (method === 'NodeWorker.sendMessageToWorker') this.#count++;
  }

  /** Called with each message that a worker sends. Only answers have a number. */
  readonly heard = ({ params: { message } }: FromWorker): void => {
    if (message.startsWith('{"id":')) this.#count--;
  };

  /** Blocks until all is answered. What comes meanwhile interrupts it, and is heard. */
  readonly settle = (): void => {
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + PATIENCE_MS;
    while (this.#count > 0 && performance.now() < until) Atomics.wait(nothing, 0, 0, 1);
  };
}
