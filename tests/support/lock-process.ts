import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('lock-child.mjs', import.meta.url));

/** What an error was, after it crossed processes. */
interface RemoteError {
  name: string;
  code?: string;
  message: string;
  hint?: string;
  /** Code of its cause. */
  cause?: string;
}

/** Another process with a lock of its own; ends with the test at the latest. */
export class LockProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  #calls = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    child.on('message', (message: { id: number; value?: unknown; error?: RemoteError }) => {
      const call = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error) call?.reject(message.error);
      else call?.resolve(message.value);
    });
  }

  /** `handOver`: a descriptor, which the process finds as its number 4. */
  static async start(
    path: string,
    options: { cwd?: string; handOver?: number | undefined } = {},
  ): Promise<LockProcess> {
    const { cwd, handOver } = options;
    const child = fork(PROGRAM, [path, 'run-1'], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', ...(handOver === undefined ? [] : [handOver])],
      ...(cwd && { cwd }),
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code, signal) => reject(new Error(`ended before it was ready: ${signal ?? code}`)));
    });
    return new LockProcess(child);
  }

  /** Runs a command of the program; rejects with a `RemoteError`. Never settles when the process dies in it. */
  call<T = void>(command: string, ...args: unknown[]): Promise<T> {
    const id = ++this.#calls;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command, args });
    });
  }

  /** Sends the signal and waits until the process is gone. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }

  /** Sends the signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the process ends by its own doing. */
  async ended(): Promise<void> {
    await this.#exited;
  }
}
