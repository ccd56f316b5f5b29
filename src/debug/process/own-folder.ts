import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes a private folder (0700) for the heaps of this process. Nobody is there
 * to remove it when this process is killed: so those of the dead are, here.
 */
export function ownFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^holdfast-self-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(join(tmpdir(), name));
  }
  return mkdtempSync(join(tmpdir(), `holdfast-self-${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whose folder it is, the system checks. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It is somebody else's, or is being removed.
  }
}
