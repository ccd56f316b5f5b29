import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/**
 * Makes a folder read-only, as a disk becomes after an error: what is open stays
 * so. Gives why that is not possible here; it wants root, as modes do not bind it.
 */
export function makeReadOnly(folder: string): string | undefined {
  const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });
  try {
    mount('--bind', folder, folder);
    onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
    mount('-o', 'remount,bind,ro', folder);
    return undefined;
  } catch (error) {
    return `nothing can be mounted here: ${String(error)}`;
  }
}
