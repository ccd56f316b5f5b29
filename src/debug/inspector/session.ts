/** What can be asked of a JavaScript thread, and what it tells, by the protocol of Chrome's DevTools. */
export interface Session {
  /**
   * Resolves with the answer; rejects when the thread refuses, is gone, or has not answered in time;
   * with `SessionEnded` when it is a worker that has ended, alone.
   * @param deadlineMs default 10,000
   */
  call<Result = unknown>(method: string, params?: object, deadlineMs?: number): Promise<Result>;
  /** Calls `listener` with the parameters of each event of that name, until the function given back is called. */
  on(event: string, listener: (params: never) => void): () => void;
}

/** A worker thread has ended: whatever is asked of it rejects with this. Others of its process can still be asked. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded';

  constructor() {
    super('the thread has ended');
  }
}

/** How long an answer is waited for, in ms, where the call does not say. */
const DEADLINE_MS = 10_000;

/** What V8 refuses with when the thread ends, but also where its program ends by `vm` what took too long. */
const ENDING = /Execution was terminated|context was destroyed|Cannot find (default execution )?context/;

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: { exceptionDetails?: { exception?: unknown } };
  error?: { message: string };
}

/** One side of a conversation, whatever carries its messages. */
export class MessageSession implements Session {
  /** Whether an answer was such as a thread gives that ends. */
  ending = false;
  readonly #send: (message: string) => void;
  readonly #endMs: number;
  readonly #waiting = new Map<number, (answer: Message | Error) => void>();
  readonly #listeners = new Map<string, Set<(params: never) => void>>();
  #lastId = 0;
  #closed: Error | undefined;

  /** @param endMs how long answers such as a thread gives that ends are held back: its end, if it is told by then, is what they reject with */
  constructor(send: (message: string) => void, endMs = 0) {
    this.#send = send;
    this.#endMs = endMs;
  }

  call<Result>(method: string, params: object = {}, deadlineMs = DEADLINE_MS): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      const id = ++this.#lastId;
      const late = new Error(`${method}: no answer within ${deadlineMs} ms`);
      let timer = setTimeout(() => settle(late), deadlineMs);
      const settle = (answer: Message | Error) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (answer instanceof Error) reject(answer);
        else if (answer.error) reject(new Error(`${method}: ${answer.error.message}`));
        else resolve(answer.result as Result);
      };
      this.#waiting.set(id, (answer) => {
        if (answer instanceof Error || !isOfEnding(answer)) return settle(answer);
        this.ending = true;
        if (this.#endMs === 0) return settle(answer);
        clearTimeout(timer);
        timer = setTimeout(() => settle(answer), this.#endMs);
      });
      this.#send(JSON.stringify({ id, method, params }));
    });
  }

  on(event: string, listener: (params: never) => void): () => void {
    let listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** A message has come. One that cannot be understood, or that nobody waits for any more, means nothing. */
  receive(text: string): void {
    const message = parsed(text);
    if (message?.id !== undefined) this.#waiting.get(message.id)?.(message);
    else for (const listener of this.#listeners.get(message?.method ?? '') ?? []) listener(message!.params as never);
  }

  /** Nothing will come any more: what waits rejects with `why` at once, and so does each later call. */
  close(why: Error): void {
    this.#closed ??= why;
    for (const settle of [...this.#waiting.values()]) settle(why);
  }
}

/** A run that was terminated is refused, or has thrown nothing. */
function isOfEnding({ error, result }: Message): boolean {
  if (error !== undefined) return ENDING.test(error.message);
  return result?.exceptionDetails !== undefined && result.exceptionDetails.exception === undefined;
}

function parsed(text: string): Message | null | undefined {
  try {
    return JSON.parse(text) as Message | null;
  } catch {
    return undefined;
  }
}
