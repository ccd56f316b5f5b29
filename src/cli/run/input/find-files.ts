/** The files that a glob matches, and what could have been among them. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Glob } from './glob.js';

/** A file, or a folder with all that is in it, that the glob names and that is no input. */
export interface LeftOut {
  /** What is no UTF-8 in it is escaped: `d/\xff.txt`. */
  path: string;
  reason: string;
}

export interface FoundFiles {
  /** Sorted. */
  paths: string[];
  /** Sorted by path. */
  leftOut: LeftOut[];
  /** Links to folders in which the glob might have matched something. */
  linksNotFollowed: number;
}

export interface FindSettings {
  cwd: string;
  /** Whether links to folders are followed. */
  follow: boolean;
  /** Asked of each file and folder, by its path as it is given. */
  isExcluded: (path: string) => boolean;
  /** Files and folders of the run itself, by their absolute paths. */
  own: readonly string[];
}

const NOT_UTF8 = 'its name is not UTF-8 (to rename such files: convmv)';

/** What JavaScript has in place of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';

/** These were there a moment ago, or are links that lead nowhere: no files. */
const GONE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/**
 * Walks through the folders in which the glob may match, side by side.
 * @throws the system's error if the base of the glob is no folder that can be read
 */
export async function findFiles(glob: Glob, settings: FindSettings): Promise<FoundFiles> {
  const walk = new Walk(glob, settings, await identities(settings.own));
  await walk.begin();
  walk.found.paths.sort();
  walk.found.leftOut.sort((a, b) => (a.path < b.path ? -1 : 1));
  return walk.found;
}

/** A folder on the way down from the base. */
interface Folder {
  /** From the base on; empty for the base itself. */
  below: string;
  /** Which folders lead here, by device and inode; kept where links are followed. */
  above: readonly string[];
}

class Walk {
  readonly found: FoundFiles = { paths: [], leftOut: [], linksNotFollowed: 0 };
  readonly #glob: Glob;
  readonly #settings: FindSettings;
  /** What belongs to the run, by device and inode, and under which names it is looked for. */
  readonly #own: { ids: ReadonlySet<string>; names: ReadonlySet<string> };
  /** What stands before the paths below the base. */
  readonly #prefix: string;

  constructor(glob: Glob, settings: FindSettings, own: { ids: ReadonlySet<string>; names: ReadonlySet<string> }) {
    this.#glob = glob;
    this.#settings = settings;
    this.#own = own;
    this.#prefix = glob.base === '.' ? '' : glob.base.endsWith('/') ? glob.base : `${glob.base}/`;
  }

  async begin(): Promise<void> {
    const { base, isPath } = this.#glob;
    const status = await stat(this.#absolute(base));
    const id = idOf(status);
    if (this.#own.ids.has(id)) return;
    if (!isPath) await this.#folder({ below: '', above: [id] });
    else if (status.isFile() && !this.#settings.isExcluded(base)) this.found.paths.push(base);
  }

  async #folder(folder: Folder): Promise<void> {
    const path = folder.below === '' ? this.#glob.base : this.#path(folder.below);
    let entries: Entry[];
    try {
      entries = await namesIn(this.#absolute(path));
    } catch (error) {
      if (folder.below === '') throw error;
      this.#leaveOut(`${path}/`, error);
      return;
    }
    const folders: Promise<void>[] = [];
    for (const entry of entries) {
      const name = String(entry.name);
      const below = folder.below === '' ? name : `${folder.below}/${name}`;
      if (typeof entry.name !== 'string') this.#unnamed(entry, entry.name, below);
      else {
        const going = this.#entry(entry, below, folder);
        if (going !== undefined) folders.push(going);
      }
    }
    await Promise.all(folders);
  }

  /** Gives a promise where there is something to wait for. */
  #entry(entry: Entry, below: string, folder: Folder): Promise<void> | undefined {
    const asFile = !entry.isDirectory() && this.#glob.matches(below);
    const asFolder = !entry.isFile() && this.#glob.canContain(below);
    if (!asFile && !asFolder) return undefined;
    const path = this.#path(below);
    if (this.#settings.isExcluded(path)) return undefined;
    const isLink = entry.isSymbolicLink();
    const mustBeSeen = isLink || this.#own.names.has(String(entry.name)) || (this.#settings.follow && asFolder);
    if (mustBeSeen) return this.#seen({ path, below, asFile, asFolder, isLink }, folder);
    if (entry.isFile()) this.found.paths.push(path);
    return entry.isDirectory() ? this.#folder({ below, above: [] }) : undefined;
  }

  /** What only the system can tell: where a link leads, or whether it is the run's own. */
  async #seen(
    entry: { path: string; below: string; asFile: boolean; asFolder: boolean; isLink: boolean },
    { above }: Folder,
  ): Promise<void> {
    const { path, below, asFile, asFolder, isLink } = entry;
    let status;
    try {
      status = await stat(this.#absolute(path));
    } catch (error) {
      this.#leaveOut(path, error);
      return;
    }
    const id = idOf(status);
    if (this.#own.ids.has(id)) return;
    if (status.isFile()) {
      if (asFile) this.found.paths.push(path);
    } else if (status.isDirectory() && asFolder) {
      if (isLink && !this.#settings.follow) this.found.linksNotFollowed++;
      // One that leads back to where it lies holds nothing new.
      else if (!above.includes(id)) await this.#folder({ below, above: this.#settings.follow ? [...above, id] : [] });
    }
  }

  /** A name that is no text cannot be an input; what it stands for is told, if it was meant. */
  #unnamed(entry: Entry, name: Buffer, below: string): void {
    const isFolder = entry.isDirectory();
    const isMeant = isFolder ? this.#glob.canContain(below) : this.#glob.matches(below);
    if (!isMeant || !(isFolder || entry.isFile() || entry.isSymbolicLink())) return;
    const path = this.#path(below);
    if (this.#settings.isExcluded(path)) return;
    const escaped = path.slice(0, path.length - String(name).length) + escapedName(name);
    this.found.leftOut.push({ path: isFolder ? `${escaped}/` : escaped, reason: NOT_UTF8 });
  }

  #leaveOut(path: string, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!GONE.has(code)) this.found.leftOut.push({ path, reason: WORDS[code ?? ''] ?? code ?? message });
  }

  #path(below: string): string {
    return this.#prefix + below;
  }

  #absolute(path: string): string {
    return resolve(this.#settings.cwd, path);
  }
}

/** Why something cannot be looked into. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ENAMETOOLONG: 'its path is too long for the system',
  EIO: 'the disk could not read it',
};

type Entry = Dirent<string | Buffer>;

/** The entries of a folder. Where a name is no UTF-8, it is a Buffer. */
async function namesIn(folder: string): Promise<Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (!entries.some(({ name }) => name.includes(REPLACEMENT))) return entries;
  const raw: Entry[] = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  for (const entry of raw) {
    const text = entry.name.toString();
    if (Buffer.from(text).equals(entry.name as Buffer)) entry.name = text;
  }
  return raw;
}

/** As a shell takes it between `$'` and `'`. */
function escapedName(name: Buffer): string {
  return [...name].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('');
}

function idOf({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`;
}

async function identities(paths: readonly string[]) {
  const ids = new Set<string>();
  const names = new Set<string>();
  for (const path of paths) {
    const status = await stat(path).catch(() => undefined);
    if (status === undefined) continue;
    ids.add(idOf(status));
    for (const known of [path, await realpath(path).catch(() => path)]) names.add(basename(known));
  }
  return { ids, names };
}
