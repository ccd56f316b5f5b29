import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import type { ThreadData, ThreadMessage, ThreadRequest } from '../../thread/protocol.js';
import { receivedMessage, sentRequest, type SentMessage } from '../../thread/wire.js';

const START = fileURLToPath(new URL('../../thread/start.cjs', import.meta.url));

export interface LinkListener {
  onMessage(message: ThreadMessage): void;
  /** A handler posted something to the main thread by itself. */
  onStray(): void;
  /** An error that nobody caught ends the thread. `onExit` follows. */
  onError(error: Error): void;
  /** The thread is gone; all that it sent has been told. Once. */
  onExit(exitCode: number): void;
}

/**
 * A worker thread, and the main thread's end of the line to it.
 *
 * The line is a port of its own: handlers have `parentPort`. It keeps the
 * process alive while the thread owes an answer, and no longer.
 */
export class ThreadLink {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #requests = new Int32Array(new SharedArrayBuffer(4));
  readonly #listener: LinkListener;
  #owed = 0;
  #closed = false;
  #gone = false;
  #tellGone!: () => void;
  readonly exited = new Promise<void>((resolve) => (this.#tellGone = resolve));

  /** @param memory heap limit in bytes; `undefined`: V8's own */
  constructor(data: Omit<ThreadData, 'port' | 'requests'>, memory: number | undefined, listener: LinkListener) {
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: ThreadData = { ...data, port: port2, requests: this.#requests.buffer };
    this.#worker = new Worker(START, {
      workerData,
      transferList: [port2],
      ...(memory === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: Math.max(1, Math.round(memory / 2 ** 20)) } }),
    });
    this.#worker.on('message', () => listener.onStray());
    this.#worker.on('error', (error: unknown) => listener.onError(error as Error));
    this.#worker.on('exit', (code) => this.#onExit(code));
    port1.on('message', (sent: SentMessage) => listener.onMessage(receivedMessage(sent)));
    // Only the exit can still be told then.
    port1.on('close', () => {
      this.#closed = true;
      if (!this.#gone) this.#worker.ref();
    });
    // Listening had made them keep the process alive.
    this.#worker.unref();
    port1.unref();
  }

  /** As `worker_threads.threadId` has it; `undefined` when it is gone. */
  get threadId(): number | undefined {
    return this.#gone ? undefined : this.#worker.threadId;
  }

  /** @param owed whether an answer is to come, of which `answered` is to be told */
  send(request: ThreadRequest): void {
    if (this.#gone || this.#closed) return;
    if (++this.#owed === 1) this.#port.ref();
    this.#port.postMessage(sentRequest(request));
    Atomics.add(this.#requests, 0, 1);
    Atomics.notify(this.#requests, 0, 1);
  }

  /** What was sent first is answered in full. */
  answered(): void {
    if (--this.#owed === 0) this.#port.unref();
  }

  /** Ends the thread; `exited` resolves when it is gone. */
  terminate(): void {
    if (!this.#gone) void this.#worker.terminate();
  }

  #onExit(code: number): void {
    // What it sent last may lie in the port still: an exit is told on another way.
    while (!this.#closed) {
      const next = receiveMessageOnPort(this.#port);
      if (next === undefined) break;
      this.#listener.onMessage(receivedMessage(next.message as SentMessage));
    }
    this.#gone = true;
    this.#port.close();
    this.#listener.onExit(code);
    this.#tellGone();
  }
}
