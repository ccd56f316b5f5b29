import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.js';

/** The system's limit on a socket's path: 108 bytes on Linux, 104 on macOS, with the closing zero. */
const MAX_PATH_BYTES = 103;

/** It listens under a longer name first: with `.` and a process id, which has seven digits at most. */
const SUFFIX_BYTES = 8;

/**
 * Where the control socket of a run lies: in its folder, or, where that path is
 * too long for a socket, in a private folder of this user below the system's
 * temporary one. Whoever looks for it reads the path from the lock's details.
 *
 * @throws HoldfastError ERR_STATE_DIR when that folder is not this user's alone
 */
export function controlSocketPath(runDir: string): string {
  const path = join(runDir, 'control.sock');
  if (Buffer.byteLength(path) + SUFFIX_BYTES <= MAX_PATH_BYTES) return path;
  const folder = join(tmpdir(), `holdfast-${process.getuid?.() ?? 'user'}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notOurs(folder, error);
  }
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) {
    throw notOurs(folder);
  }
  return join(folder, `${createHash('sha256').update(runDir).digest('hex').slice(0, 32)}.sock`);
}

function notOurs(folder: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ERR_STATE_DIR', `${folder} is not a folder of this user alone (0700)`, {
    cause,
    hint: 'Remove it, or use a shorter --dir, so that the control socket fits into it.',
  });
}
