import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../runtime/at-exit.js';

/** Makes a folder for this user alone (0700), which is removed when the process exits, however it does; gives its path. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-smoke-'));
  atExit(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
