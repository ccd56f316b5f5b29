import type { StopMessage } from '../runtime/supervisor/messages.js';
import { SIGNALS } from './exit-code.js';
import { endBySignal } from './screen/terminal.js';

/**
 * What asks this process to stop: the first request asks, the second insists, and
 * a third ends the process at once. Signals are requests once somebody listens;
 * before, they end the process.
 */
export class StopRequests {
  #count = 0;
  #unheard: NodeJS.Signals | undefined;
  #listener: ((stop: StopMessage) => void) | undefined;

  /** Whether anything has asked yet. */
  get any(): boolean {
    return this.#count > 0;
  }

  /** Asks as if that signal had come. Before somebody listens, the last one is kept. */
  ask(signal: NodeJS.Signals): void {
    if (++this.#count > 2) endBySignal(signal);
    else if (this.#listener === undefined) this.#unheard = signal;
    else this.#listener({ type: 'stop', signal, force: this.#count > 1 });
  }

  readonly onStop = (listener: (stop: StopMessage) => void): void => {
    this.#listener = listener;
    for (const signal of SIGNALS) process.on(signal, () => this.ask(signal));
    if (this.#unheard !== undefined) listener({ type: 'stop', signal: this.#unheard, force: this.#count > 1 });
  };
}
