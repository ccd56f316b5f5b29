import type { StopMessage } from '../runtime/supervisor/messages.js';

/** Calls the listener at each request to stop, also for those that came before. */
export type OnStop = (listener: (stop: StopMessage) => void) => void;

/**
 * What asks a run to stop. While its executor starts, that ends the start: no
 * task was taken, and a module may take as long as it likes to load. Later, it is
 * for whoever listens.
 */
export class Stops {
  readonly #early: StopMessage[] = [];
  readonly #start = new AbortController();
  #listener: ((stop: StopMessage) => void) | undefined;

  /** @param patienceMs how long a start may go on that is asked to stop without force. Default 0 */
  constructor(onStop: OnStop, patienceMs = 0) {
    onStop((stop) => {
      if (this.#listener !== undefined) {
        this.#listener(stop);
        return;
      }
      this.#early.push(stop);
      if (patienceMs === 0 || stop.force) this.#start.abort();
      else setTimeout(() => this.#start.abort(), patienceMs).unref();
    });
  }

  /** Aborted when the start is to end. */
  get endStart(): AbortSignal {
    return this.#start.signal;
  }

  /** The first that came while the executor started. */
  get early(): StopMessage | undefined {
    return this.#early[0];
  }

  /** Those that came before are passed on at once. */
  listen(listener: (stop: StopMessage) => void): void {
    this.#listener = listener;
    for (const stop of this.#early) listener(stop);
  }
}
