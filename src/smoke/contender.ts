import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const PROCESS = fileURLToPath(new URL('./contender-process.js', import.meta.url));

export interface LockName {
  path: string;
  runId: string;
}

/** What another process was told by a lock. */
export interface Contention {
  /** Whether it got the lock: then nobody held it. */
  acquired: boolean;
  /** Who holds it, as far as the other process could read. */
  holderPid: number | null;
}

/**
 * Another process that will try to take a lock. It is started long before it
 * is asked: its start then overlaps with that of the executor.
 */
export class Contender {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor() {
    this.#child = spawn(process.execPath, [PROCESS], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#stdout += String(chunk)));
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#stderr += String(chunk)));
    // One that is dead already is told by what it has not said.
    this.#child.stdin.on('error', () => {});
    this.#closed = once(this.#child, 'close');
    this.#closed.catch(() => {});
  }

  /**
   * Lets it try, once.
   * @throws Error when it ends without an answer
   */
  async contend(lock: LockName): Promise<Contention> {
    this.#child.stdin.end(`${JSON.stringify(lock)}\n`);
    await this.#closed;
    try {
      return JSON.parse(this.#stdout) as Contention;
    } catch (cause) {
      throw new Error(`the process that was to contend for the lock gave no answer: ${this.#stderr.trim()}`, { cause });
    }
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed.catch(() => {});
  }
}
