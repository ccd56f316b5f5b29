import type { WebSocket } from 'ws';

/** Asks for what every thread knows at once; nobody waits for its answer. */
const NOTHING = JSON.stringify({ id: 0, method: 'Schema.getDomains' });
const ANSWER_TO_NOTHING = '{"id":0,';
const OF_WORKER = '{"method":"NodeWorker.receivedMessageFromWorker"';
const TO_WORKER = '"method":"NodeWorker.sendMessageToWorker"';

/** After how many ms our kernel acknowledges a packet, if there is nothing to send along. */
const KERNEL_MS = 40;

/** What was asked last is answered within a few ms by a thread that answers at all. */
const LAST_ANSWERS_MS = 200;

/**
 * Has packets of the other side acknowledged soon, by sending something. Its
 * kernel holds each small one back until ours has acknowledged the one before
 * (Nagle's algorithm), and the answer of a worker is the second one, after a
 * receipt. With this it takes 2 ms, without it 45.
 *
 * Only as long as an answer is awaited, and what was sent is waited for before
 * we leave: Node 20 to 26 must outlive it (SIGSEGV, rare).
 */
export class Acknowledgement {
  readonly #socket: WebSocket;
  /** Answers that are to come: of a worker, beside the receipt of the main thread. */
  #expected = 0;
  /** Answers to `NOTHING` that are to come. */
  #nothings = 0;
  #timer: NodeJS.Timeout | undefined;
  #onQuiet: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  sent(message: string): void {
    this.#expected += message.includes(TO_WORKER) ? 2 : 1;
    this.#begin(1);
  }

  received(message: string): void {
    if (message.startsWith(ANSWER_TO_NOTHING)) this.#nothings--;
    else if (message.startsWith('{"id":') || message.startsWith(OF_WORKER)) {
      // Events of workers are counted as answers, too: one answer may then come 45 ms late.
      if (this.#expected > 0) this.#expected--;
      if (this.#expected === 0) this.#end();
    }
    if (this.#nothings === 0) this.#onQuiet?.();
  }

  /** Sends nothing more; resolves once nothing is on the way that was asked for here, or not waited for any longer. */
  async quiet(): Promise<void> {
    this.#end();
    if (this.#nothings === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LAST_ANSWERS_MS);
      this.#onQuiet = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The connection is gone: nothing will come. */
  gone(): void {
    this.#end();
    this.#onQuiet?.();
  }

  #begin(pauseMs: number): void {
    this.#end();
    if (pauseMs > KERNEL_MS) return;
    this.#timer = setTimeout(() => {
      this.#nothings++;
      this.#socket.send(NOTHING);
      this.#begin(pauseMs * 2);
    }, pauseMs);
  }

  #end(): void {
    clearTimeout(this.#timer);
  }
}
