/** Those who wait for an executor to have nothing left to do. */
export class IdleWaiters {
  readonly #waiting = new Set<{ resolve(): void; reject(error: Error): void }>();

  get size(): number {
    return this.#waiting.size;
  }

  wait(): Promise<void> {
    return new Promise((resolve, reject) => void this.#waiting.add({ resolve, reject }));
  }

  resolve(): void {
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  reject(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
