import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ProcessLock } from '../../dist/system/lock/process-lock.js';
import { tempDir } from './temp-dir.js';

/** A path for a lock file, in a folder that is not there yet. */
export function lockPath(): string {
  return join(tempDir(), 'locks', 'run-1.lock');
}

/** A lock that lets go with the test. */
export function lockAt(path: string, runId = 'run-1'): ProcessLock {
  const lock = new ProcessLock({ path, runId });
  onTestFinished(() => lock.release());
  return lock;
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/dev/fd').length;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
