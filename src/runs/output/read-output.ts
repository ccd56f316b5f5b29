import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { outputFile, outputFiles, type PrintedPiece } from './output-line.js';
import { beforeOf } from './output-log.js';

/** A line that a task printed or logged. */
export interface PrintedLine extends Omit<PrintedPiece, 'open'> {
  /** Its end of line was not printed, or it is too long to be given as one. */
  cut?: true;
}

export type Printed =
  | { kind: 'line'; line: PrintedLine }
  /** So many lines before the next one were dropped, as they were the oldest. */
  | { kind: 'dropped'; lines: number }
  /** What is written there cannot be read: a line that an executor was killed over, say. */
  | { kind: 'damaged' };

/** So much of a line is given as one, in characters. */
const MAX_LINE = 2 ** 20;
const CHUNK_BYTES = 256 * 1024;
const FOLLOW_MS = 100;

export interface ReadOutput {
  /** Whether there may be more to come; asked whenever all was read. Default: there is not. */
  goesOn?: () => boolean;
  /** Ends the waiting for more. */
  signal?: AbortSignal;
}

/** What the tasks of a run printed, as far as it is kept, in the order it came to be known. */
export async function* readOutput(runDir: string, options: ReadOutput = {}): AsyncGenerator<Printed> {
  const joined = new Joined();
  let expected = 0;
  let number = 0;
  for await (const line of recordedLines(runDir, options)) {
    if (line.number !== number) {
      number = line.number;
      const before = beforeOf(line.text);
      if (before > expected) yield { kind: 'dropped', lines: before - expected };
      expected = before;
      continue;
    }
    const piece = pieceOf(line.text);
    if (piece === undefined) {
      yield { kind: 'damaged' };
      continue;
    }
    if (piece.open !== true) expected++;
    for (const whole of joined.add(piece)) yield { kind: 'line', line: whole };
  }
  for (const line of joined.rest()) yield { kind: 'line', line };
}

/** The lines of all files; the first one of each is its head. */
async function* recordedLines(
  runDir: string,
  { goesOn = () => false, signal }: ReadOutput,
): AsyncGenerator<{ number: number; text: string }> {
  let file: Tail | undefined;
  try {
    for (;;) {
      // Asked before it is read: what is written until then is read in any case.
      const mayGoOn = goesOn();
      const next = outputFiles(runDir).find((number) => number > (file?.number ?? 0));
      if (file !== undefined) {
        const { number } = file;
        for (let lines = file.read(); lines.length > 0; lines = file.read()) {
          for (const text of lines) yield { number, text };
        }
      }
      if (next !== undefined) {
        file?.close();
        file = Tail.open(runDir, next) ?? file;
        continue;
      }
      if (!mayGoOn || signal?.aborted) return;
      await sleep(FOLLOW_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    file?.close();
  }
}

/** A file that may grow, and may be removed while it is read. */
class Tail {
  readonly number: number;
  readonly #fd: number;
  #rest = Buffer.alloc(0);
  #closed = false;

  static open(runDir: string, number: number): Tail | undefined {
    try {
      return new Tail(openSync(outputFile(runDir, number), 'r'), number);
    } catch (error) {
      // It was dropped just now.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private constructor(fd: number, number: number) {
    this.#fd = fd;
    this.number = number;
  }

  /** The whole lines that follow; none at its end. */
  read(): string[] {
    const bytes = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const length = this.#closed ? 0 : readSync(this.#fd, bytes);
      if (length === 0) return [];
      const all = Buffer.concat([this.#rest, bytes.subarray(0, length)]);
      const end = all.lastIndexOf('\n') + 1;
      this.#rest = all.subarray(end);
      if (end > 0) return all.toString('utf8', 0, end - 1).split('\n');
    }
  }

  close(): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }
}

function pieceOf(text: string): PrintedPiece | undefined {
  try {
    const piece = JSON.parse(text) as Partial<PrintedPiece>;
    const isOne = typeof piece.text === 'string' && typeof piece.at === 'number' && Array.isArray(piece.by);
    return isOne ? (piece as PrintedPiece) : undefined;
  } catch {
    return undefined;
  }
}

/** Puts lines together again of which pieces came at different times. */
class Joined {
  readonly #held = new Map<string, PrintedPiece>();

  /** What is whole now. */
  add(piece: PrintedPiece): PrintedLine[] {
    const lines = this.#leftBy(piece);
    const key = `${piece.thread} ${piece.stream}`;
    const held = this.#held.get(key);
    this.#held.delete(key);
    const belongs = held !== undefined && JSON.stringify(held.by) === JSON.stringify(piece.by);
    if (held !== undefined && !belongs) lines.push(cut(held));
    const whole = belongs ? { ...piece, at: held.at, text: held.text + piece.text } : piece;
    const { open, ...line } = whole;
    if (open !== true) lines.push(line);
    else if (whole.text.length > MAX_LINE) lines.push(cut(whole));
    else this.#held.set(key, whole);
    return lines;
  }

  /** What others have left unfinished in that thread: they have ended, and nothing more of it will come. */
  #leftBy({ thread, by }: PrintedPiece): PrintedLine[] {
    const left = [...this.#held].filter(([, held]) => held.thread === thread && !overlap(held.by, by));
    for (const [key] of left) this.#held.delete(key);
    return left.map(([, held]) => cut(held));
  }

  rest(): PrintedLine[] {
    return [...this.#held.values()].map(cut);
  }
}

function overlap(some: PrintedPiece['by'], others: PrintedPiece['by']): boolean {
  if (some.length === 0 && others.length === 0) return true;
  return some.some(([id, attempt]) => others.some((other) => other[0] === id && other[1] === attempt));
}

function cut(piece: PrintedPiece): PrintedLine {
  const line = { ...piece, cut: true as const };
  delete line.open;
  return line;
}
