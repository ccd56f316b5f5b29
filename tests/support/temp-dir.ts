import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { waitFor } from './wait-for.js';

/** A private folder that goes with the test. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  // Processes of the test that were killed, and those that end because of that, may still write there.
  onTestFinished(async () => {
    await waitFor(`${dir} to be left alone`, () => isRemoved(dir));
  });
  return dir;
}

function isRemoved(dir: string): boolean {
  try {
    rmSync(dir, { recursive: true, force: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    return false;
  }
}
