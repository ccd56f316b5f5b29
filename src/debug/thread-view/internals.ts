import { fileURLToPath } from 'node:url';

/** Where this package's own code is. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

/** Whether a place is in Node, or in holdfast itself: hidden unless all is asked for. */
export function isInternal(file: string): boolean {
  return file.startsWith('node:') || file.startsWith(OWN) || file.includes('/node_modules/holdfast/dist/');
}
