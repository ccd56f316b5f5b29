// @ts-check
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Under the checkout, not the system's temporary folder: that is often memory, where fsync costs nothing.
const PARENT = fileURLToPath(new URL('../../.runtime/', import.meta.url));

/** A fresh folder on the disk of the checkout. */
export function stateFolder() {
  mkdirSync(PARENT, { recursive: true, mode: 0o700 });
  const path = mkdtempSync(`${PARENT}bench-`);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
