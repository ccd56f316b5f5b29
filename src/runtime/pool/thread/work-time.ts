/** How long a thread was ready for work, and how long it had some. In ms, on the clock of `performance.now()`. */
export class WorkTime {
  #readySince: number | undefined;
  #busySince: number | undefined;
  /** Up to `#busySince`. */
  #busyMs = 0;

  /** Whether the thread was ever ready. */
  get hasBegun(): boolean {
    return this.#readySince !== undefined;
  }

  get busy(): boolean {
    return this.#busySince !== undefined;
  }

  /** Milliseconds in which at least one lane had work. */
  get busyMs(): number {
    return this.#busyMs + this.busyForMs;
  }

  /** Milliseconds for which it has had work without a break; 0 without work. */
  get busyForMs(): number {
    return this.#busySince === undefined ? 0 : performance.now() - this.#busySince;
  }

  /** Milliseconds since it was ready for work. */
  get readyMs(): number {
    return this.#readySince === undefined ? 0 : performance.now() - this.#readySince;
  }

  ready(): void {
    this.#readySince = performance.now();
  }

  /** A lane has work. */
  begin(): void {
    this.#busySince ??= performance.now();
  }

  /** No lane has work any more. */
  end(): void {
    this.#busyMs = this.busyMs;
    this.#busySince = undefined;
  }
}
