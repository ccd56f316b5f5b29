import { inspect } from 'node:util';
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { outputFile, outputFiles, type FileHead, type PrintedPiece } from './output-line.js';

/** A file that has become this large, in bytes, is followed by a new one… */
const MAX_BYTES = 2 * 2 ** 20;

/** …and so many are kept, the newest included. */
const MAX_FILES = 8;

/** Never through a link that somebody put in its place. */
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

const OPEN = '{"open":';

export interface OutputLogSettings {
  maxBytes?: number;
  maxFiles?: number;
  /** Told once: nothing is recorded from now on. */
  onUnwritable(error: Error): void;
}

interface OpenLog {
  fd: number;
  number: number;
  /** In bytes. */
  size: number;
}

/**
 * Writes what tasks print to the folder of their run, and drops the oldest of it. For the holder of the run's lock.
 * Nothing is opened before there is something to write.
 */
export class OutputLog {
  readonly #runDir: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #onUnwritable: (error: Error) => void;
  #file: OpenLog | undefined;
  /** Whole lines recorded so far, those of earlier executors included; known once a file is open. */
  #lines = 0;
  #ended = false;

  constructor(runDir: string, { maxBytes = MAX_BYTES, maxFiles = MAX_FILES, onUnwritable }: OutputLogSettings) {
    this.#runDir = runDir;
    this.#maxBytes = maxBytes;
    this.#maxFiles = maxFiles;
    this.#onUnwritable = onUnwritable;
  }

  /** The system has them when it returns: whoever ends the process then takes nothing of them along. */
  write(pieces: readonly PrintedPiece[]): void {
    if (this.#ended || pieces.length === 0) return;
    try {
      let file = (this.#file ??= this.#goOn());
      let text = '';
      for (const piece of pieces) {
        const line = `${jsonOf(piece)}\n`;
        if (file.size + text.length + line.length > this.#maxBytes) {
          put(file, text);
          text = '';
          file = this.#rotate(file);
        }
        text += line;
        if (piece.open !== true) this.#lines++;
      }
      put(file, text);
    } catch (error) {
      this.end();
      this.#onUnwritable(error as Error);
    }
  }

  /** Records nothing any more. */
  end(): void {
    this.#ended = true;
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  /** Opens the newest file, which an earlier executor may have been killed over. */
  #goOn(): OpenLog {
    const number = outputFiles(this.#runDir).at(-1);
    if (number === undefined) return this.#create(1);
    const path = outputFile(this.#runDir, number);
    const text = readFileSync(path, 'utf8');
    this.#lines = linesUpTo(text);
    const fd = openSync(path, APPEND, 0o600);
    const file = { fd, number, size: fstatSync(fd).size };
    if (text !== '' && !text.endsWith('\n')) put(file, '\n');
    return file;
  }

  #rotate({ fd, number }: OpenLog): OpenLog {
    this.#file = undefined;
    closeSync(fd);
    this.#file = this.#create(number + 1);
    for (const old of outputFiles(this.#runDir).slice(0, -this.#maxFiles)) {
      rmSync(outputFile(this.#runDir, old), { force: true });
    }
    return this.#file;
  }

  #create(number: number): OpenLog {
    const file = { fd: openSync(outputFile(this.#runDir, number), APPEND, 0o600), number, size: 0 };
    put(file, `${JSON.stringify({ schema: 1, before: this.#lines } satisfies FileHead)}\n`);
    return file;
  }
}

function put(file: OpenLog, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(file.fd, bytes, written);
  file.size += bytes.length;
}

/** Takes away what is recorded. */
export function removeOutput(runDir: string): void {
  for (const number of outputFiles(runDir)) rmSync(outputFile(runDir, number), { force: true });
}

/** Whole lines in a file, and in those before it. */
function linesUpTo(text: string): number {
  const [head, ...lines] = text.split('\n');
  return beforeOf(head!) + lines.filter((line) => line !== '' && !line.startsWith(OPEN)).length;
}

/** What the head of a file says; 0 where it cannot be read. */
export function beforeOf(head: string): number {
  try {
    const { before } = JSON.parse(head) as Partial<FileHead>;
    return typeof before === 'number' ? before : 0;
  } catch {
    return 0;
  }
}

/** What is logged may hold what JSON does not: cycles, BigInts. Its text then stands for it. */
function jsonOf(piece: PrintedPiece): string {
  try {
    return JSON.stringify(piece);
  } catch {
    return JSON.stringify({ ...piece, fields: { fields: inspect(piece.fields) } });
  }
}
