import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Executor } from '../runtime/executor.js';
import { HoldfastError } from '../runtime/errors.js';
import { outcomeLine } from './outcome-line.js';
import { printToStdout } from './terminal.js';

/** How long outcomes may wait to be written together, in ms. */
const WRITE_INTERVAL_MS = 50;

export interface ResultsTarget {
  /** A path, or `-` for standard output. */
  target: string;
  /** Outcomes up to this ordinal were written before. */
  afterOrdinal: number;
  /** Called after outcomes up to `ordinal` were handed to the system. */
  onWritten(ordinal: number): void;
  /** Nothing more can be written: the reader of standard output is gone, or the disk is full. */
  onBroken(error: Error): void;
}

/**
 * Writes outcomes as they are recorded. It reads them from the queue rather
 * than from events: then a slow reader costs no memory, and an executor that
 * takes over knows where to go on.
 */
export class ResultsWriter {
  readonly #executor: Executor;
  readonly #settings: ResultsTarget;
  readonly #stream: Writable;
  readonly #ownFile: boolean;
  #written: number;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #broken = false;

  constructor(executor: Executor, settings: ResultsTarget) {
    this.#executor = executor;
    this.#settings = settings;
    this.#written = settings.afterOrdinal;
    this.#ownFile = settings.target !== '-';
    this.#stream = this.#ownFile ? createWriteStream(settings.target, { mode: 0o600 }) : process.stdout;
    this.#stream.on('error', (error: NodeJS.ErrnoException) => this.#break(error));
    executor.on('outcome', this.#onOutcome);
    this.#onOutcome();
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    this.#executor.off('outcome', this.#onOutcome);
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
    if (this.#broken) return;
    if (!this.#ownFile) {
      // Where a pipe is written to in the background, the end of the process would lose the rest.
      await printToStdout('');
      return;
    }
    (this.#stream as WriteStream).end();
    await once(this.#stream, 'close');
  }

  readonly #onOutcome = (): void => {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, WRITE_INTERVAL_MS);
  };

  #write(): void {
    this.#writing = this.#writing.then(() => this.#catchUp()).catch((error: Error) => this.#break(error));
  }

  async #catchUp(): Promise<void> {
    for await (const outcome of this.#executor.outcomes({ afterOrdinal: this.#written })) {
      if (this.#broken) return;
      if (!this.#stream.write(outcomeLine(outcome))) await this.#drained();
      this.#written = outcome.ordinal;
    }
    this.#settings.onWritten(this.#written);
  }

  /** Resolves when the stream takes more, or never will. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#broken) resolve();
      const done = () => {
        this.#stream.off('drain', done).off('error', done).off('close', done);
        resolve();
      };
      this.#stream.on('drain', done).on('error', done).on('close', done);
    });
  }

  #break(error: NodeJS.ErrnoException): void {
    if (this.#broken) return;
    this.#broken = true;
    const where = this.#ownFile ? this.#settings.target : 'standard output';
    const told =
      error instanceof HoldfastError
        ? error
        : Object.assign(new Error(`the results cannot be written to ${where}: ${error.message}`), { code: error.code });
    this.#settings.onBroken(told);
  }
}
