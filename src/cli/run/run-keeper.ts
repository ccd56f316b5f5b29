import type { Duplex } from 'node:stream';
import type { KeeperServer } from '../../runtime/queue/keeper/server.js';
import { keepStore } from '../../runtime/queue/keep-store.js';
import { closeQueue } from '../../runtime/run-folder.js';
import { lostAtStart } from '../../system/lock/lost-at-start.js';
import type { ProcessLock } from '../../system/lock/process-lock.js';

/** The supervisor as the keeper of the queue: it is there before any executor, and outlives it. */
export class RunKeeper {
  readonly #runDir: string;
  #lock: ProcessLock | undefined;
  #server: Promise<KeeperServer> | undefined;
  /** Of executors that were started before it was known whether there is a queue to be kept. */
  #lines: Duplex[] = [];

  constructor(runDir: string) {
    this.#runDir = runDir;
  }

  /** Serves an executor, once there is something to be kept. */
  serve(line: Duplex): void {
    if (this.#server === undefined) this.#lines.push(line);
    // What goes wrong with the store is reported to the executor that asks for it next.
    else void this.#server.then((server) => server.serve(line)).catch(() => {});
  }

  /**
   * There is.
   * @param lock of the run, held
   * @param ahead whether to open the queue while the executor loads: not where a run starts over
   */
  start(lock: ProcessLock, ahead: boolean): void {
    this.#lock = lock;
    this.#server = keepStore(this.#runDir, () => {
      if (!lock.stillHeld()) throw lostAtStart(lock);
    });
    for (const line of this.#lines.splice(0)) this.serve(line);
    if (ahead) void this.#server.then((server) => server.openAhead());
  }

  /** Closes what no executor has closed. Where somebody else may have the run, it stays as it is. */
  async end(): Promise<void> {
    const server = await this.#server;
    const stillOurs = () => this.#lock?.stillHeld() === true;
    if (stillOurs()) await server?.end((queue) => closeQueue(queue, this.#runDir, stillOurs));
  }
}
