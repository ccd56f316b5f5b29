import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TargetProcess } from '../../process/target-process.js';

const PROGRAM = fileURLToPath(new URL('watchdog-process.js', import.meta.url));

interface Charge {
  target: TargetProcess;
  /** Path of what is to be removed. */
  folder: string;
  /** Ports of the process; what listens at them is not closed. */
  before: readonly number[];
  /** Descriptor that holds the turn: nobody comes between us and the watchdog. */
  lock: number;
}

/**
 * A process that cleans up after us, should we be killed: it removes the
 * folder, and closes the inspector, if we had it opened. In a session of its
 * own, so that what a terminal sends to us does not reach it.
 */
export class Watchdog {
  readonly #child;
  #needed = false;

  constructor({ target, folder, before, lock }: Charge) {
    const args = [PROGRAM, String(target.pid), String(target.startTicks), folder, before.join(',')];
    // Options that are meant for this process may load anything, or open an inspector.
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore', lock], detached: true, env });
    // One that cannot be started, or was killed, guards nothing; that is no reason not to look.
    this.#child.on('error', () => {});
    this.#child.stdin!.on('error', () => {});
    this.#child.unref();
    (this.#child.stdin as unknown as { unref(): void }).unref();
  }

  /** From now on, the inspector may open at any time. */
  inspectorOpens(): void {
    this.#needed = true;
    this.#tell('o');
  }

  /** From now on, the inspector may close at any time. */
  inspectorCloses(): void {
    this.#tell('e');
  }

  /** None that we had opened is open, or will be. */
  inspectorIsClosed(): void {
    this.#needed = false;
    this.#tell('c');
  }

  #tell(word: 'o' | 'e' | 'c'): void {
    // In the pipe before this returns: it is there even if we are killed at the next step.
    this.#child.stdin!.write(word);
  }

  /** Ends it, or, if an inspector may still open, leaves it to its work. */
  async end(): Promise<void> {
    if (this.#needed) {
      this.#child.stdin!.end();
    } else if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.ref();
      this.#child.kill('SIGKILL');
      await exit;
    }
  }
}
