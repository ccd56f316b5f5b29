/**
 * One listener for each signal, however many wait for it: of more than ten,
 * Node warns of a leak (seen with 20.20).
 */
export class AbortListeners {
  readonly #waiting = new Map<AbortSignal, Set<() => void>>();

  add(signal: AbortSignal, listener: () => void): void {
    let others = this.#waiting.get(signal);
    if (others === undefined) {
      this.#waiting.set(signal, (others = new Set()));
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    others.add(listener);
  }

  remove(signal: AbortSignal, listener: () => void): void {
    const listeners = this.#waiting.get(signal);
    listeners?.delete(listener);
    if (listeners?.size !== 0) return;
    this.#waiting.delete(signal);
    signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (event: Event): void => {
    for (const listener of this.#waiting.get(event.target as AbortSignal) ?? []) listener();
  };
}
