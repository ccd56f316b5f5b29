import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../runtime/at-exit.js';

export interface TemporaryFolder {
  /** Absolute. */
  path: string;
  remove(): void;
}

/** A folder for this user alone (0700); removed at the latest when the process exits. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-smoke-'));
  const removeAll = () => rmSync(path, { recursive: true, force: true });
  const forget = atExit(removeAll);
  return {
    path,
    remove: () => {
      removeAll();
      forget();
    },
  };
}
