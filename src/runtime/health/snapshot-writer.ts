import { open, rename, rm } from 'node:fs/promises';
import { readHealth, type HealthSnapshot } from './snapshot.js';

export type SnapshotBody = Omit<HealthSnapshot, 'schema' | 'sequence'>;

export interface SnapshotWriterSettings {
  /** Of the file. */
  path: string;
  /** What to write; asked for when its turn has come. */
  body(): SnapshotBody;
  /** Whether the run is still ours; asked before each write. */
  mayWrite(): boolean;
  /** Told after each write: why it failed, or nothing. */
  onWritten(error: Error | undefined): void;
}

/**
 * Writes snapshots of one run, one after the other and each as a whole:
 * readers find the one before or this one, never a piece. However often one
 * is asked for while one is being written, one more is written.
 *
 * The file beside it has a fixed name: only the holder of the run's lock
 * writes here, so what a dead one left there is written over.
 */
export class SnapshotWriter {
  readonly #settings: SnapshotWriterSettings;
  readonly #temporary: string;
  #sequence: number | undefined;
  #wanted = false;
  #writing: Promise<void> | undefined;

  constructor(settings: SnapshotWriterSettings) {
    this.#settings = settings;
    this.#temporary = `${settings.path}.tmp`;
  }

  /** Sees to it that a snapshot is written whose body was asked for after this call. */
  write(): void {
    this.#wanted = true;
    this.#writing ??= this.#writeAll();
  }

  /** As `write`; resolves once it is written, or could not be. */
  async written(): Promise<void> {
    this.write();
    await this.#writing;
  }

  /** Drops what was asked for and is not being written yet, and resolves once nothing is. */
  async quiet(): Promise<void> {
    this.#wanted = false;
    await this.#writing;
  }

  /** Takes the file away, and what was left beside it. */
  async remove(): Promise<void> {
    await this.quiet();
    if (!this.#settings.mayWrite()) return;
    for (const path of [this.#settings.path, this.#temporary]) await rm(path, { force: true }).catch(() => {});
  }

  async #writeAll(): Promise<void> {
    // So that the promise is in its place when this comes to its end.
    await Promise.resolve();
    while (this.#wanted) {
      this.#wanted = false;
      if (!this.#settings.mayWrite()) continue;
      try {
        await this.#writeOne();
        this.#settings.onWritten(undefined);
      } catch (error) {
        this.#settings.onWritten(error as Error);
      }
    }
    this.#writing = undefined;
  }

  async #writeOne(): Promise<void> {
    const { path, body, mayWrite } = this.#settings;
    this.#sequence ??= readHealth(path).snapshot.sequence;
    const snapshot: HealthSnapshot = { schema: 1, sequence: ++this.#sequence, ...body() };
    const file = await open(this.#temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(snapshot)}\n`);
      // Else a power cut could leave the new name, and no content.
      await file.sync();
    } finally {
      await file.close();
    }
    // The lock may have been lost meanwhile.
    if (mayWrite()) await rename(this.#temporary, path);
  }
}
