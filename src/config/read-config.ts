/** What stands in a config file, whichever kind it is of; nothing of it is checked yet. */
import { accessSync, constants, lstatSync, readFileSync, statSync, type Stats } from 'node:fs';
import { extname } from 'node:path';
import { unreadable } from './config-fault.js';
import { CONFIG_KINDS } from './find-config.js';

/** No text of a configuration is longer; what is, is another file. In bytes. */
const MAX_SIZE = 1_000_000;

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
};

/**
 * @param deadlineMs how long a module may take to load
 * @throws HoldfastError `ERR_INVALID_OPTIONS`: it cannot be read, or not be run; InvalidInputError: it has faults of syntax
 */
export async function readConfig(path: string, deadlineMs: number): Promise<unknown> {
  const kind = extname(path).slice(1);
  mustBeReadable(path);
  switch (kind) {
    case 'yaml':
    case 'yml':
      return (await import('./read-yaml.js')).readYaml(path, textOf(path));
    case 'json':
      return (await import('./read-json.js')).readJson(path, textOf(path));
    default:
      if (!(CONFIG_KINDS as readonly string[]).includes(kind)) {
        throw unreadable(path, `its name must end with one of ${CONFIG_KINDS.map((each) => `.${each}`).join(', ')}`);
      }
      return (await import('./read-module.js')).readModule(path, deadlineMs);
  }
}

function mustBeReadable(path: string): void {
  const stat = statOf(path);
  if (stat.isDirectory()) throw unreadable(path, 'it is a folder');
  if (!stat.isFile()) throw unreadable(path, 'it is not a plain file');
}

function statOf(path: string): Stats {
  try {
    const stat = statSync(path);
    accessSync(path, constants.R_OK);
    return stat;
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    const isLink = code === 'ENOENT' && lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    throw unreadable(path, isLink ? 'it is a link that leads nowhere' : (WORDS[code] ?? code), { cause });
  }
}

function textOf(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.length > MAX_SIZE) throw unreadable(path, 'it is larger than 1,000,000 bytes');
  try {
    // Takes the byte order mark away that some editors write.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (text.trim() !== '') return text;
  } catch (cause) {
    throw unreadable(path, 'it is not UTF-8', { cause });
  }
  throw unreadable(path, 'it is empty');
}
