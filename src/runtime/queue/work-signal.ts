import type { Work } from './contract.js';

/** Tells who claims that work has come: each kind once for all that came in one tick, and before events have their turn. */
export class WorkSignal {
  #listener: ((work: Work) => void) | undefined;
  readonly #came = new Set<Work>();

  listen(listener: (work: Work) => void): void {
    this.#listener = listener;
  }

  came(work: Work): void {
    if (this.#listener === undefined) return;
    this.#came.add(work);
    if (this.#came.size === 1) queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const came = [...this.#came];
    this.#came.clear();
    for (const work of came) this.#listener!(work);
  }
}
