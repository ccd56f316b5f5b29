/** Bytes into lines, with no more in memory than one chunk and one line. */
import { isUtf8 } from 'node:buffer';

/** A longer line is a fault, and is not held in memory. */
const MAX_LINE_BYTES = 16 * 1024 ** 2;

export interface Line {
  /** From 1, blank lines counted. */
  number: number;
  /** Without its end (`\n` or `\r\n`) and without a byte order mark; empty if there is a fault. */
  text: string;
  /** Why the bytes are no text. */
  fault: string | undefined;
}

interface LineSettings {
  maxBytes?: number;
  /** Whether lines end with NUL, and are taken as they are, whatever is in them. */
  endedByNull?: boolean;
}

const NUL = 0;
const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/**
 * The lines of a stream of bytes, those of one chunk at a time: a promise for
 * every single line would cost more than to parse it. A last line without an
 * end counts.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes = MAX_LINE_BYTES, endedByNull = false }: LineSettings = {},
): AsyncGenerator<Line[]> {
  const endOfLine = endedByNull ? NUL : LF;

  let number = 0;
  /** The line whose end has not come yet: nothing is kept of it once it is too long. */
  let begun: Uint8Array[] = [];
  let begunBytes = 0;

  const take = (last: Uint8Array): Line => {
    const bytes = begun.length === 0 ? last : Buffer.concat([...begun, last]);
    const length = begunBytes + last.length;
    begun = [];
    begunBytes = 0;
    number++;
    return endedByNull ? lineOf(number, bytes, length, maxBytes) : toLine(number, bytes, length, maxBytes);
  };

  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(endOfLine); end !== -1; end = chunk.indexOf(endOfLine, start)) {
      lines.push(take(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      begunBytes += chunk.length - start;
      // A copy: whoever reads the stream may use the chunk's memory again.
      if (begunBytes <= maxBytes + 1) begun.push(chunk.slice(start));
      else begun = [];
    }
    if (lines.length > 0) yield lines;
  }
  if (begunBytes > 0) yield [take(new Uint8Array(0))];
}

function toLine(number: number, given: Uint8Array, length: number, maxBytes: number): Line {
  const end = given[given.length - 1] === CR ? given.length - 1 : given.length;
  const marked = number === 1 && BYTE_ORDER_MARK.equals(given.subarray(0, 3));
  // The mark counts to the length.
  return lineOf(number, given.subarray(marked ? 3 : 0, end), length - (given.length - end), maxBytes);
}

function lineOf(number: number, bytes: Uint8Array, length: number, maxBytes: number): Line {
  if (length > maxBytes) return { number, text: '', fault: `is longer than ${maxBytes} bytes` };
  if (!isUtf8(bytes)) {
    return { number, text: '', fault: 'is not UTF-8 (to convert: iconv -f latin1 -t utf-8)' };
  }
  return { number, text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(), fault: undefined };
}
