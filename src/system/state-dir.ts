import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import { HoldfastError, InvalidInputError } from '../base/errors.js';
import { quoted } from '../base/faults.js';

export const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const LOCK_SUFFIX = '.lock';

/** In the folder of a run: its queue, where that is kept in a file. */
export const QUEUE_FILE = 'queue.db';

/** Copies of a queue that was lost, with a number and `.db` behind. */
export const SAVED_QUEUE = 'queue.saved-';

/** What its last executor said of its health. */
export const HEALTH_FILE = 'health.json';

/** Marks a run that dry runs may start over. Empty. */
export const DRY_RUN_MARK = 'dry-run';

/** What a run id must be, in words. */
export const RUN_ID_RULE = 'must be 1 to 128 letters, digits, ".", "_" or "-", the first a letter or digit';

/** Gives `runId` back, or throws `ERR_INVALID_RUN_ID`. A valid one is a file name that leaves no folder. */
export function validateRunId(runId: string): string {
  if (RUN_ID.test(runId)) return runId;
  throw new InvalidInputError('ERR_INVALID_RUN_ID', 'invalid run id', [{ where: quoted(runId), problem: RUN_ID_RULE }]);
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

  /** The folders in it in which all of the state is. What else lies beside them is not ours. */
  folders(): string[] {
    return ['runs', 'locks', 'debug'].map((name) => join(this.root, name));
  }

  /**
   * Makes the state folder if it is missing, for this user alone (0700).
   * Throws `ERR_STATE_DIR` when it cannot be made, belongs to another user, or
   * may be written by others, or is reached by a link that another user made:
   * who can write there decides what this user runs.
   */
  ensure(): void {
    this.#makePrivate(this.root);
  }

  /** For whoever changes what is there and makes nothing. Throws `ERR_STATE_DIR` when a link of another user leads to `path`. */
  refuseForeignLinks(path: string): void {
    refuseForeignLinks(path, this.root);
  }

  /** Makes the folders of a run and of locks (0700), and the state folder as `ensure` does; gives the run's folder. */
  ensureRunDir(runId: string): string {
    const dir = this.runDir(runId);
    this.ensure();
    for (const folder of [dirname(this.lockPath(runId)), dirname(dir), dir]) this.#makePrivate(folder);
    return dir;
  }

  /** Makes the folder for trace logs of what has no run (0700), and the state folder as `ensure` does; gives its path. */
  ensureDebugDir(): string {
    const dir = join(this.root, 'debug');
    this.ensure();
    this.#makePrivate(dir);
    return dir;
  }

  /** Removes the folder of a run if this object has made it, and nothing came to lie in it. For the holder of the run's lock. */
  removeUnusedRunDir(runId: string): void {
    const index = this.#made.indexOf(this.runDir(runId));
    if (index !== -1) removeIfEmpty(this.#made.splice(index, 1)[0]!);
  }

  /** Removes the folders that this object has made, as far as nothing came to lie in them. */
  removeUnused(): void {
    for (const folder of this.#made.splice(0).reverse()) removeIfEmpty(folder);
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

  /** Looked at before, lest a folder is made where somebody's link leads to. */
  #makePrivate(folder: string): void {
    refuseForeignLinks(folder, this.root);
    this.#make(folder);
    refuseUnlessPrivate(folder, this.root);
  }

  #make(folder: string): void {
    try {
      const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (first === undefined) return;
      const made = [folder];
      while (made[0]!.length > first.length) made.unshift(dirname(made[0]!));
      this.#made.push(...made);
    } catch (error) {
      const cause = causeOf(folder, error as NodeJS.ErrnoException);
      const why = cause.code === 'EROFS' ? 'its file system is read-only' : cause.message;
      throw unusable(this.root, why, ANOTHER_FOLDER, cause);
    }
  }
}

/** On a file system that is read-only, a recursive mkdir of Node (20) says that there is no such folder. */
function causeOf(folder: string, told: NodeJS.ErrnoException): NodeJS.ErrnoException {
  if (told.code !== 'ENOENT') return told;
  let missing = folder;
  while (!existsSync(dirname(missing))) missing = dirname(missing);
  try {
    mkdirSync(missing, { mode: 0o700 });
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  return told;
}

const ANOTHER_FOLDER = 'Mend that, or choose another state folder: --dir <folder>.';

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something is in it, or it is gone.
  }
}

function refuseUnlessPrivate(folder: string, root: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return; // Windows has no such owners and modes.
  const stat = statSync(folder);
  const it = folder === root ? 'it' : folder;
  if (stat.uid !== uid) {
    const why = `${it} belongs to another user (uid ${stat.uid}, and this is ${uid})`;
    throw unusable(root, why, 'Work as that user, or choose a folder of your own: --dir <folder>.');
  }
  if (stat.mode & 0o022) {
    const why = `others may write to ${it} (mode ${(stat.mode & 0o777).toString(8)})`;
    const below = join(root, 'runtime');
    throw unusable(root, why, `Close it: chmod go-w ${folder}. Or use a folder in it: --dir ${below}`);
  }
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * In a folder where everybody may write, such as the temporary one, another user
 * can put a link in the place of a folder that is not there yet: to a place of
 * this user's, which so would be written to and tidied up. What root linked is
 * the system's own.
 */
function refuseForeignLinks(path: string, root: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  let place = parse(path).root;
  let rest = path.split(sep).filter(Boolean);
  for (let links = 0; rest.length > 0;) {
    const name = rest.shift()!;
    if (name === '..') place = dirname(place);
    if (name === '..' || name === '.') continue;
    const next = join(place, name);
    const stat = lstatIfThere(next);
    if (stat === undefined) return;
    if (!stat.isSymbolicLink()) {
      place = next;
      continue;
    }
    if (stat.uid !== uid && stat.uid !== 0) {
      const why = `${next} is a symbolic link of another user (uid ${stat.uid}, and this is ${uid})`;
      throw unusable(root, why, 'Find out who put it there, or choose a folder of your own: --dir <folder>.');
    }
    // More than that the system refuses by itself.
    if (++links > MAX_LINKS) return;
    const target = readlinkSync(next);
    rest = [...target.split(sep).filter(Boolean), ...rest];
    if (isAbsolute(target)) place = parse(target).root;
  }
}

/** What cannot be looked at is told by whoever uses it. */
function lstatIfThere(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function unusable(root: string, why: string, hint: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_STATE_DIR', `cannot use the state folder ${root}: ${why}`, { hint, cause });
}
