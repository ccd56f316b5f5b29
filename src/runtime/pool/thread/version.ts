import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Tells one text of a module from another: 12 hexadecimal digits of its SHA-256.
 * Of the file alone, not of what it imports. `undefined` if it cannot be read.
 */
export function versionOf(moduleUrl: string): string | undefined {
  try {
    return hash('sha256', readFileSync(fileURLToPath(moduleUrl))).slice(0, 12);
  } catch {
    return undefined;
  }
}
