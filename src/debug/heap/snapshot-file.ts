/**
 * Reads heap snapshots as V8 writes them (`v8.writeHeapSnapshot`).
 *
 * The file is JSON, of several hundred MB for a heap of millions of objects:
 * its numbers go from the bytes straight into typed arrays. Parsed as JSON
 * they would take several times the memory, and texts of more than half a GB
 * cannot be parsed at all.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** The columns of a snapshot, as its header names them. */
interface Meta {
  node_fields: string[];
  node_types: [string[], ...unknown[]];
  edge_fields: string[];
  edge_types: [string[], ...unknown[]];
  location_fields: string[];
}

/** A heap snapshot: tables of numbers, whose columns `meta` names. */
export interface SnapshotTables {
  meta: Meta;
  /** A row an object: `meta.node_fields`. */
  nodes: Uint32Array;
  /** A row a reference, those of the first object first: `meta.edge_fields`. */
  edges: Uint32Array;
  /** Where functions are written: `meta.location_fields`. */
  locations: Uint32Array;
  strings: string[];
}

/** Bytes that are read at once. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** The header is a few KB; where it ends, the table of objects begins. */
const MAX_HEADER_BYTES = 2 ** 20;

const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const CLOSING_BRACKET = 0x5d;

/** @throws Error when the file is no heap snapshot, or is cut off */
export function readSnapshotFile(path: string): SnapshotTables {
  const bytes = new ByteReader(path);
  try {
    const header = bytes.textUpTo('"nodes":[', MAX_HEADER_BYTES);
    const { snapshot } = JSON.parse(`${header.slice(0, header.lastIndexOf(','))}}`) as {
      snapshot: { meta: Meta; node_count: number; edge_count: number };
    };
    const { meta, node_count: nodeCount, edge_count: edgeCount } = snapshot;
    const nodes = bytes.numbers(nodeCount * meta.node_fields.length);
    bytes.textUpTo('"edges":[', MAX_HEADER_BYTES);
    const edges = bytes.numbers(edgeCount * meta.edge_fields.length);
    bytes.textUpTo('"locations":[', Infinity);
    const locations = bytes.numbers();
    bytes.textUpTo('"strings":', MAX_HEADER_BYTES);
    const rest = bytes.rest();
    const strings = JSON.parse(rest.slice(0, rest.lastIndexOf(']') + 1)) as string[];
    return { meta, nodes, edges, locations, strings };
  } finally {
    bytes.close();
  }
}

class ByteReader {
  readonly #fd: number;
  #chunk = Buffer.alloc(0);
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Everything before `mark`, which is read over. */
  textUpTo(mark: string, maxBytes: number): string {
    let before = Buffer.alloc(0);
    for (;;) {
      // The mark may lie across two chunks.
      const joined = before.length === 0 ? this.#chunk.subarray(this.#at) : Buffer.concat([before, this.#chunk]);
      const found = joined.indexOf(mark);
      if (found !== -1) {
        this.#chunk = joined;
        this.#at = found + mark.length;
        return joined.toString('utf8', 0, found);
      }
      if (joined.length > maxBytes) throw new Error(`this is not a heap snapshot: it has no ${mark}`);
      before = Buffer.from(joined);
      if (!this.#fill()) throw new Error(`the heap snapshot is cut off before ${mark}`);
    }
  }

  /** The numbers up to the closing bracket. `count`: how many there must be. */
  numbers(count?: number): Uint32Array {
    let numbers = new Uint32Array(count ?? 1024);
    let length = 0;
    let value = 0;
    let inNumber = false;
    for (;;) {
      if (this.#at === this.#chunk.length && !this.#fill()) throw new Error('the heap snapshot is cut off');
      const chunk = this.#chunk;
      let at = this.#at;
      for (; at < chunk.length; at++) {
        const byte = chunk[at]!;
        if (byte >= ZERO && byte <= NINE) {
          value = value * 10 + (byte - ZERO);
          inNumber = true;
        } else if (byte === COMMA || byte === CLOSING_BRACKET) {
          if (inNumber) {
            if (length === numbers.length) numbers = grown(numbers);
            numbers[length++] = value;
            value = 0;
            inNumber = false;
          }
          if (byte === CLOSING_BRACKET) {
            this.#at = at + 1;
            if (count !== undefined && length !== count)
              throw new Error('the heap snapshot does not hold what it says');
            return numbers.subarray(0, length);
          }
        }
      }
      this.#at = at;
    }
  }

  /** All that is left, as text. */
  rest(): string {
    const parts = [Buffer.from(this.#chunk.subarray(this.#at))];
    while (this.#fill()) parts.push(Buffer.from(this.#chunk));
    return Buffer.concat(parts).toString('utf8');
  }

  /** Reads the next bytes; false at the end of the file. */
  #fill(): boolean {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const length = readSync(this.#fd, chunk, 0, chunk.length, null);
    this.#chunk = chunk.subarray(0, length);
    this.#at = 0;
    return length > 0;
  }
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
