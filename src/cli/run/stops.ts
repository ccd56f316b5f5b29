import type { StopMessage } from '../../runtime/supervisor/messages.js';
import type { JobControl } from './job-control.js';

/**
 * What tells a run to stop. While its executor starts, that ends the start: no
 * task was taken, and a module may take as long as it likes to load. Later, it is
 * the job's to hear.
 */
export class Stops {
  readonly #early: StopMessage[] = [];
  readonly #start = new AbortController();
  #listener: ((stop: StopMessage) => void) | undefined;

  /** @param graceMs so long may a successor go on to start: what its predecessor has done is to be told */
  constructor(control: JobControl, graceMs: number) {
    control.onStop((stop) => {
      if (this.#listener !== undefined) {
        this.#listener(stop);
        return;
      }
      this.#early.push(stop);
      if (control.carried === undefined || stop.force) this.#start.abort();
      else setTimeout(() => this.#start.abort(), graceMs).unref();
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

  /** Those that came before are told at once. */
  listen(listener: (stop: StopMessage) => void): void {
    this.#listener = listener;
    for (const stop of this.#early) listener(stop);
  }
}
