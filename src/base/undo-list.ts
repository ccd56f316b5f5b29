/** What was set up step by step, to be taken down in the opposite order. */
export class UndoList {
  readonly #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /**
   * Takes everything down, the last step first. Each is tried, whatever became of
   * the ones before it. A second call finds nothing left to do.
   *
   * @throws what the first step that failed had thrown
   */
  async undo(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
