/** What went wrong last, for as long as nothing of the same kind has gone well since. */
export interface LastError {
  /** Milliseconds since the epoch. */
  at: number;
  /** `task`: an outcome other than `done`; `thread`: one died; `beat`: one was missed; `executor`: anything else. */
  source: 'task' | 'thread' | 'beat' | 'executor';
  code?: string;
  message: string;
}

type Source = LastError['source'];

/** Remembers the last error of each source; a success takes away that of its source alone. */
export class LastErrors {
  readonly #errors = new Map<Source, LastError>();

  /** The latest of those that still stand. */
  get latest(): LastError | null {
    let latest: LastError | null = null;
    for (const error of this.#errors.values()) if (latest === null || error.at >= latest.at) latest = error;
    return latest;
  }

  of(source: Source): LastError | undefined {
    return this.#errors.get(source);
  }

  set(source: Source, { code, message }: { code?: string | undefined; message: string }): void {
    // Anew at the end: of two in the same millisecond, the later one is the last.
    this.#errors.delete(source);
    this.#errors.set(source, { at: Date.now(), source, ...(code !== undefined && { code }), message });
  }

  clear(source: Source): void {
    // Called for each outcome: mostly there is nothing.
    if (this.#errors.size > 0) this.#errors.delete(source);
  }
}
