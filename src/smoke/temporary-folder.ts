import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../base/at-exit.js';
import { HoldfastError } from '../base/errors.js';

/**
 * Makes a folder for this user alone (0700), which is removed when the process exits, however it does; gives its path.
 * @throws HoldfastError ERR_STATE_DIR
 */
export function temporaryFolder(): string {
  let path: string;
  try {
    path = mkdtempSync(join(tmpdir(), 'holdfast-smoke-'));
  } catch (cause) {
    const message = `cannot make a temporary folder in ${tmpdir()}: ${(cause as Error).message}`;
    throw new HoldfastError('ERR_STATE_DIR', message, { hint: 'Set TMPDIR to a folder that you may write to.', cause });
  }
  atExit(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
