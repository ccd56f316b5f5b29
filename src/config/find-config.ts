/** Which file configures the command. Loads nothing: each command asks, and most folders have none. */
import { lstatSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.js';
import { unreadable } from './config-fault.js';

/** How the name of a config file ends. */
export const CONFIG_KINDS = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs', 'json', 'yaml', 'yml'] as const;

/** Whether a config file is code, which may do anything while it is read, and hold functions. */
export function isModule(path: string): boolean {
  return /\.[mc]?[jt]s$/.test(path);
}

/**
 * The absolute path of the config file of a folder: `runtime.config.` and one
 * of the kinds. The folders above are not looked into: what a command does must
 * not depend on a file that nobody sees beside it.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if there are two, or somebody else could have written it
 */
export function findConfig(folder: string): string | undefined {
  const [name, second] = configNames(folder);
  if (name === undefined) return undefined;
  if (second !== undefined) {
    throw new HoldfastError('ERR_INVALID_OPTIONS', `${name} and ${second} are both in ${folder}: there may be one`, {
      hint: `Remove one, or choose: --config ${name}`,
    });
  }
  refuseUnlessOurs(join(folder, name), name);
  return join(folder, name);
}

/** The names of all config files in a folder. */
export function configNames(folder: string): string[] {
  return CONFIG_KINDS.map((kind) => `runtime.config.${kind}`).filter((name) => isThere(join(folder, name)));
}

/** A link that leads nowhere is there: to overlook it would be to run without what it was to configure. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // The folder is closed to us, and all that is in it.
    return false;
  }
}

/**
 * A config file is code, or names modules that are loaded. One that is merely
 * found must not make a user run what a stranger left in `/tmp`. One that is
 * named with `--config` is taken as it is, as a module of handlers is.
 *
 * Unlike the state folder, which is made with mode 0700, it may be writable by
 * its group: with umask 002, the default of some systems, every file is.
 */
function refuseUnlessOurs(path: string, name: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return; // Windows has no such owners and modes.
  let stat: Stats;
  try {
    stat = statSync(path);
  } catch {
    return; // Reading it tells why.
  }
  const hint = `If you trust what it says: --config ${name}`;
  if (stat.uid !== uid && stat.uid !== 0) {
    const why = `it belongs to another user (uid ${stat.uid}, and this is ${uid})`;
    throw unreadable(path, why, { hint });
  }
  if (stat.mode & 0o002) {
    const why = `anybody may write to it (mode ${(stat.mode & 0o777).toString(8)})`;
    throw unreadable(path, why, { hint: `Close it: chmod o-w ${name}. ${hint}` });
  }
}
