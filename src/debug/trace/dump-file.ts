import { constants } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';

/** A file that has become this large, in bytes, makes room for a new one… */
const MAX_BYTES = 10 * 2 ** 20;

/** …and so many old ones are kept: `trace.log.1` is the latest. */
const KEPT = 3;

/** Never through a link that somebody put in its place. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

/**
 * A file that grows by whole dumps, and is rotated by size. It is opened for
 * each: it may be moved or removed at any time, and none is left open.
 */
export class DumpFile {
  readonly path: string;
  readonly #preamble: string;
  readonly #maxBytes: number;

  /** @param preamble stands at the top of each new file */
  constructor(path: string, preamble = '', maxBytes = MAX_BYTES) {
    this.path = path;
    this.#preamble = preamble;
    this.#maxBytes = maxBytes;
  }

  async append(text: string): Promise<void> {
    let file = await open(this.path, APPEND, 0o600);
    try {
      let { size } = await file.stat();
      if (size > 0 && size + Buffer.byteLength(text) > this.#maxBytes) {
        await file.close();
        file = await this.#rotated();
        size = 0;
      }
      try {
        await file.appendFile(size === 0 ? this.#preamble + text : text);
      } catch (error) {
        // On a full disk a piece may have gone through: half a dump, or half a line of JSON, misleads.
        await file.truncate(size).catch(() => {});
        throw error;
      }
    } finally {
      await file.close();
    }
  }

  async #rotated(): Promise<FileHandle> {
    for (let age = KEPT; age > 0; age--) {
      const older = age === 1 ? this.path : `${this.path}.${age - 1}`;
      await rename(older, `${this.path}.${age}`).catch(unlessMissing);
    }
    return open(this.path, APPEND, 0o600);
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
