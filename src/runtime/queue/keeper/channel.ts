/** The executor's end of the line to the keeper: calls with a number each, and their answers. */
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers';
import { FrameReader, frameOf } from './frames.js';
import type { Answer, Request } from './protocol.js';
import { errorOf, type ToldError } from './told-errors.js';

/** Above so many bytes of calls that were not answered, further ones wait here, as they were made: whoever made them has them anyway. */
const MAX_UNANSWERED_BYTES = 8 * 2 ** 20;

interface Call {
  method: string;
  args: readonly unknown[];
  /** What it is expected to take on its way, there or back. */
  bytes: number;
  read: (given: never) => unknown;
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

export interface CallOptions<Given, T> {
  /** Makes of the answer what is to be given, in the order in which answers come. Default: it is given as it came. */
  read?: (given: Given) => T;
  /** What the answer may take, where that is more than the call. */
  leastBytes?: number;
}

export interface ChannelListener {
  /** Something that is no answer. */
  onSignal(value: unknown): void;
  /** The other end has gone, and `close` was not called. All that was called and not answered is to be rejected, with what this gives. */
  whyLost(): Promise<Error>;
  onLost(error: Error): void;
}

export class Channel {
  readonly #socket: Socket;
  readonly #listener: ChannelListener;
  readonly #reader = new FrameReader();
  readonly #unanswered = new Map<number, Call>();
  #waiting: Call[] = [];
  #unansweredBytes = 0;
  #lastNumber = 0;
  #frames: Buffer[] = [];
  #ending = false;
  #lost: Error | undefined;
  readonly #closed: Promise<void>;

  constructor(socket: Socket, listener: ChannelListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => {}); // then it is closed
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        if (!this.#ending) void this.#onLost();
        resolve();
      });
    });
    // An executor that is idle keeps no process alive.
    socket.unref();
  }

  /** Bytes of the calls that were sent and not answered. */
  get unansweredBytes(): number {
    return this.#unansweredBytes;
  }

  /** Calls of one turn of the event loop go out in one write. Until the answer comes, the process is kept alive. */
  call<Given, T = Given>(method: string, args: readonly unknown[], options: CallOptions<Given, T> = {}): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const { read = asItIs as (given: Given) => T, leastBytes = 0 } = options;
    return new Promise<T>((resolve, reject) => {
      const call = { method, args, bytes: leastBytes, read, resolve, reject };
      if (this.#mustWait) this.#waiting.push(call);
      else this.#send(call);
    });
  }

  /** To be called once, with all calls answered. Resolves when the other end has closed as well. */
  async end(): Promise<void> {
    this.#ending = true;
    // One that is closed already keeps nothing alive.
    this.#socket.ref();
    this.#socket.end();
    await this.#closed;
  }

  get #mustWait(): boolean {
    return this.#waiting.length > 0 || this.#unansweredBytes > MAX_UNANSWERED_BYTES;
  }

  #send(call: Call): void {
    const { method, args, reject } = call;
    const number = ++this.#lastNumber;
    let frame: Buffer;
    try {
      frame = frameOf([number, method, ...args] satisfies Request);
    } catch (error) {
      // Too large for V8: nothing of it was sent.
      reject(error as Error);
      return;
    }
    call.bytes = Math.max(call.bytes, frame.length);
    this.#unansweredBytes += call.bytes;
    if (this.#unanswered.size === 0) this.#socket.ref();
    this.#unanswered.set(number, call);
    // Not in a microtask: messages of several threads arrive in one turn, each with microtasks of its own.
    if (this.#frames.push(frame) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    for (const frame of frames) this.#socket.write(frame);
    this.#socket.uncork();
  }

  #onData(chunk: Buffer): void {
    for (const value of this.#reader.read(chunk) as Answer[]) {
      const [number, given, thrown] = value;
      if (number === 0) this.#listener.onSignal(given);
      else this.#onAnswer(number, given, thrown);
    }
    while (this.#waiting.length > 0 && this.#unansweredBytes <= MAX_UNANSWERED_BYTES)
      this.#send(this.#waiting.shift()!);
    if (this.#unanswered.size === 0) this.#socket.unref();
  }

  #onAnswer(number: number, given: unknown, thrown: ToldError | undefined): void {
    const call = this.#unanswered.get(number)!;
    this.#unanswered.delete(number);
    this.#unansweredBytes -= call.bytes;
    if (thrown !== undefined) {
      call.reject(errorOf(thrown));
      return;
    }
    try {
      call.resolve(call.read(given as never) as never);
    } catch (error) {
      call.reject(error as Error);
    }
  }

  async #onLost(): Promise<void> {
    this.#lost = await this.#listener.whyLost();
    this.#frames = [];
    const calls = [...this.#unanswered.values(), ...this.#waiting];
    this.#unanswered.clear();
    this.#waiting = [];
    this.#unansweredBytes = 0;
    // First whoever decides what is done next, then those who would do it.
    this.#listener.onLost(this.#lost);
    for (const { reject } of calls) reject(this.#lost);
  }
}

function asItIs(given: unknown): unknown {
  return given;
}
