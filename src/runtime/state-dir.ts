import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HoldfastError, InvalidInputError } from './errors.js';
import { quoted } from './faults.js';

export const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const LOCK_SUFFIX = '.lock';

/** Gives `runId` back, or throws `ERR_INVALID_RUN_ID`. A valid one is a file name that leaves no folder. */
export function validateRunId(runId: string): string {
  if (RUN_ID.test(runId)) return runId;
  const problem = 'must be 1 to 128 letters, digits, ".", "_" or "-", the first a letter or digit';
  throw new InvalidInputError('ERR_INVALID_RUN_ID', 'invalid run id', [{ where: quoted(runId), problem }]);
}

/**
 * The folder that holds the state of all runs, and where everything lies in
 * it. Nothing is made or looked at before it is asked for.
 */
export class StateDir {
  /** Absolute path. */
  readonly root: string;
  /** Folders that this object has made, each before those in it. */
  readonly #made: string[] = [];

  /** @param dir default: `RUNTIME_DIR`, else `.runtime` in the working directory */
  constructor(dir?: string) {
    // An empty variable counts as unset, as it does in a shell.
    this.root = resolve(dir ?? (process.env['RUNTIME_DIR'] || '.runtime'));
  }

  lockPath(runId: string): string {
    return join(this.root, 'locks', `${validateRunId(runId)}${LOCK_SUFFIX}`);
  }

  runDir(runId: string): string {
    return join(this.root, 'runs', validateRunId(runId));
  }

  /**
   * Makes the state folder if it is missing, for this user alone (0700).
   * Throws `ERR_STATE_DIR` when it cannot be made, belongs to another user, or
   * may be written by others: who can write there decides what this user runs.
   */
  ensure(): void {
    this.#make(this.root);
    refuseUnlessPrivate(this.root);
  }

  /** Makes the folders of a run and of locks (0700), and the state folder as `ensure` does; gives the run's folder. */
  ensureRunDir(runId: string): string {
    const dir = this.runDir(runId);
    this.ensure();
    this.#make(dirname(this.lockPath(runId)));
    this.#make(dir);
    return dir;
  }

  /** Makes the folder for trace logs of what has no run (0700), and the state folder as `ensure` does; gives its path. */
  ensureDebugDir(): string {
    const dir = join(this.root, 'debug');
    this.ensure();
    this.#make(dir);
    return dir;
  }

  /** Removes the folders that this object has made, as far as nothing came to lie in them. */
  removeUnused(): void {
    for (const folder of this.#made.splice(0).reverse()) {
      try {
        rmdirSync(folder);
      } catch {
        // Something is in it, or it is gone.
      }
    }
  }

  /** Every run that has a folder or a lock file here, sorted. Throws `ERR_STATE_DIR`. */
  runIds(): string[] {
    const locks = this.#list('locks')
      .filter((name) => name.endsWith(LOCK_SUFFIX))
      .map((name) => name.slice(0, -LOCK_SUFFIX.length));
    return [...new Set([...this.#list('runs'), ...locks])].filter((name) => RUN_ID.test(name)).sort();
  }

  #list(folder: string): string[] {
    try {
      return readdirSync(join(this.root, folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw unusable(this.root, (error as Error).message, ANOTHER_FOLDER, error);
    }
  }

  #make(folder: string): void {
    try {
      const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (first === undefined) return;
      const made = [folder];
      while (made[0]!.length > first.length) made.unshift(dirname(made[0]!));
      this.#made.push(...made);
    } catch (error) {
      throw unusable(this.root, (error as Error).message, ANOTHER_FOLDER, error);
    }
  }
}

const ANOTHER_FOLDER = 'Mend that, or choose another state folder: --dir <folder>.';

function refuseUnlessPrivate(root: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return; // Windows has no such owners and modes.
  const stat = statSync(root);
  if (stat.uid !== uid) {
    const why = `it belongs to another user (uid ${stat.uid}, and this is ${uid})`;
    throw unusable(root, why, 'Work as that user, or choose a folder of your own: --dir <folder>.');
  }
  if (stat.mode & 0o022) {
    const why = `others may write to it (mode ${(stat.mode & 0o777).toString(8)})`;
    const below = join(root, 'runtime');
    throw unusable(root, why, `Close it: chmod go-w ${root}. Or use a folder in it: --dir ${below}`);
  }
}

function unusable(root: string, why: string, hint: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_STATE_DIR', `cannot use the state folder ${root}: ${why}`, { hint, cause });
}
