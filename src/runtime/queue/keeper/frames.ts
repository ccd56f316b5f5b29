/**
 * What passes between a keeper and an executor: values as V8 clones them, each
 * behind its length in four bytes. Strings pass as the bytes that V8 has of them,
 * with no JSON and no UTF-8 in between. Both ends are of the same Node.
 */
import { DefaultSerializer, Deserializer } from 'node:v8';

const LENGTH_BYTES = 4;
const NO_LENGTH = new Uint8Array(LENGTH_BYTES);

/** @throws RangeError for a value of 4 GB or more; what V8 throws when there is no memory for it */
export function frameOf(value: unknown): Buffer {
  const writer = new Writer();
  writer.writeRawBytes(NO_LENGTH);
  writer.writeHeader();
  writer.writeValue(value);
  const frame = writer.releaseBuffer();
  frame.writeUInt32LE(frame.length - LENGTH_BYTES, 0);
  return frame;
}

/** Puts values together again from what comes, in pieces of any size. */
export class FrameReader {
  /** The beginning of a frame whose end has not come. */
  #begun: Buffer[] = [];
  #size = 0;
  /** How much there must be to go on. */
  #needed = LENGTH_BYTES;

  /** Gives the values that are whole now. */
  read(chunk: Buffer): unknown[] {
    this.#begun.push(chunk);
    this.#size += chunk.length;
    // A large frame comes in many pieces: they are put together once.
    if (this.#size < this.#needed) return [];
    const bytes = this.#begun.length === 1 ? chunk : Buffer.concat(this.#begun);
    const values: unknown[] = [];
    let at = 0;
    for (;;) {
      this.#needed = LENGTH_BYTES;
      if (bytes.length - at < this.#needed) break;
      this.#needed += bytes.readUInt32LE(at);
      if (bytes.length - at < this.#needed) break;
      values.push(valueIn(bytes.subarray(at + LENGTH_BYTES, at + this.#needed)));
      at += this.#needed;
    }
    this.#begun = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#size = bytes.length - at;
    return values;
  }
}

function valueIn(bytes: Buffer): unknown {
  const reader = new Reader(bytes);
  reader.readHeader();
  return reader.readValue();
}

/** Writes bytes as they are; V8 itself would write all of the buffer that they are a part of. */
class Writer extends DefaultSerializer {
  _writeHostObject(view: Uint8Array | Float64Array): void {
    const { buffer, byteOffset, byteLength } = view;
    this.writeUint32(view instanceof Float64Array ? 1 : 0);
    this.writeUint32(byteLength);
    this.writeRawBytes(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

/** Gives bytes that are a copy: a few of them would else keep all that came with them. */
class Reader extends Deserializer {
  _readHostObject(): Uint8Array | Float64Array {
    const isNumbers = this.readUint32() === 1;
    const bytes = new Uint8Array(this.readRawBytes(this.readUint32()));
    return isNumbers ? new Float64Array(bytes.buffer) : bytes;
  }
}
