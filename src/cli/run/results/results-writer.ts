import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { HoldfastError } from '../../../base/errors.js';
import type { Executor } from '../../../runtime/executor.js';
import { outcomeLine } from '../../screen/outcome-line.js';
import { print } from '../../screen/terminal.js';

/** The other end of a pipe or a socket was closed. */
export function isReaderGone(error: Error): boolean {
  return ['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '');
}

const HINT = 'What is recorded is safe: once this is mended, the same command goes on and writes all of it.';

/** How long outcomes may wait to be written together, in ms. */
const WRITE_INTERVAL_MS = 50;

export interface ResultsSettings {
  stream: Writable;
  /** Whether the stream is to be ended with the last result. */
  endsStream: boolean;
  /** Outcomes up to this ordinal are not wanted. */
  afterOrdinal: number;
  /** So many of those after it were written already. */
  skip: number;
  /** A record is damaged; the others are written. May be told of one more than once. */
  onDamaged(error: HoldfastError): void;
  /** Whether each tells what its task was given. */
  withInput: boolean;
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
  readonly #settings: ResultsSettings;
  readonly #stream: Writable;
  #written: number;
  #skip: number;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #broken = false;
  #ended = false;

  constructor(executor: Executor, settings: ResultsSettings) {
    this.#executor = executor;
    this.#settings = settings;
    this.#written = settings.afterOrdinal;
    this.#skip = settings.skip;
    this.#stream = settings.stream;
    this.#stream.on('error', (error: NodeJS.ErrnoException) => this.#break(error));
    // A socket whose other end is closed ends without an error.
    this.#stream.on('close', () => {
      if (!this.#ended) this.#break(Object.assign(new Error('the reader is gone'), { code: 'EPIPE' }));
    });
    executor.on('recorded', this.#onOutcome);
    this.#onOutcome();
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    this.#executor.off('recorded', this.#onOutcome);
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
    if (this.#broken) return;
    if (!this.#settings.endsStream) {
      // A pipe that is full is written to in the background: that its reader goes is to be seen here.
      await print(this.#stream, '');
      return;
    }
    this.#ended = true;
    this.#stream.end();
    // An error has been told of by then.
    await once(this.#stream, 'close').catch(() => {});
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
    const { onDamaged, withInput } = this.#settings;
    const afterOrdinal = this.#written;
    for await (const outcome of this.#executor.encoded.outcomes({ afterOrdinal, withInput, onDamaged })) {
      if (this.#broken) return;
      this.#written = outcome.ordinal;
      if (this.#skip > 0) this.#skip--;
      else if (!this.#stream.write(outcomeLine(outcome))) await this.#drained();
    }
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
    if (error instanceof HoldfastError || isReaderGone(error)) this.#settings.onBroken(error);
    else
      this.#settings.onBroken(
        new HoldfastError('ERR_RESULTS', `--results: ${error.message}`, { cause: error, hint: HINT }),
      );
  }
}
