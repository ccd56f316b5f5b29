import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { HoldfastError } from '../base/errors.js';

/**
 * A folder of this user alone, the same for all of its processes: in
 * `XDG_RUNTIME_DIR`, if that is ours, else below the system's temporary folder.
 * It is made if it is missing.
 *
 * @throws HoldfastError ERR_STATE_DIR when it cannot be made, or others may have a hand in it
 */
export function privateFolder(): string {
  const runtimeDir = process.env['XDG_RUNTIME_DIR'] ?? '';
  const folder =
    isAbsolute(runtimeDir) && isOurs(runtimeDir)
      ? join(runtimeDir, 'holdfast')
      : join(tmpdir(), `holdfast-${process.getuid?.() ?? 'user'}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, (error as Error).message, error);
  }
  if (!isOurs(folder)) throw unusable(folder, 'it is not a folder of this user alone (mode 0700)');
  return folder;
}

/** A link is nobody's folder: who made it may lead us anywhere. */
function isOurs(path: string): boolean {
  try {
    const stat = lstatSync(path);
    const uid = process.getuid?.();
    // Windows has no such owners and modes.
    return stat.isDirectory() && (uid === undefined || (stat.uid === uid && (stat.mode & 0o077) === 0));
  } catch {
    return false;
  }
}

function unusable(folder: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_STATE_DIR', `cannot use ${folder}: ${why}`, {
    cause,
    hint: 'Find out who made it and remove it, or choose another place: TMPDIR=<folder>.',
  });
}
