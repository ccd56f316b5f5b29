/**
 * Whether the files of an open queue still are the ones that lie at their paths.
 *
 * SQLite keeps others out by POSIX locks, and anything in this process that
 * closes a file of the queue (a copy of the folder, another SQLite) drops them.
 * The next program that opens the queue then takes itself for the only one, and
 * deletes the log in use when it closes. What is committed after that goes to a
 * file without a name, and is gone with this process.
 */
import { realpathSync, statSync } from 'node:fs';

interface SeenFile {
  path: string;
  dev: bigint;
  ino: bigint;
}

export class OpenFiles {
  readonly #seen: readonly SeenFile[];

  /** @param path of a queue that is open and was written to: from then on SQLite never makes its log anew */
  constructor(path: string) {
    // SQLite puts the log beside the file itself, wherever a link to it lies.
    const real = realpathSync(path);
    this.#seen = [path, `${real}-wal`, `${real}-shm`].map((each) => {
      const { dev, ino } = statSync(each, { bigint: true });
      return { path: each, dev, ino };
    });
  }

  /**
   * The first of the files that is not in its place, and what became of it. Takes
   * some 10 µs. While a file is open no other one can have its number, so no more
   * than the number has to be compared.
   */
  whatIsLost(): { path: string; was: 'removed' | 'replaced' } | undefined {
    for (const { path, dev, ino } of this.#seen) {
      const found = look(path);
      if (found === 'unknown') continue;
      if (found === undefined) return { path, was: 'removed' };
      if (found.ino !== ino || found.dev !== dev) return { path, was: 'replaced' };
    }
    return undefined;
  }
}

/** A folder that cannot be looked into at the moment is no loss. */
function look(path: string): { dev: bigint; ino: bigint } | 'unknown' | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return 'unknown';
  }
}
