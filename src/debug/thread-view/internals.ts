import { fileURLToPath } from 'node:url';

/** Where this package's own code is. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Whether code is Node's, or holdfast's own: hidden unless all is asked for. Scripts that are not known are V8's.
 * @param file of the code that runs, not of its source
 */
export function isInternal(file: string): boolean {
  return (
    file === '' || file.startsWith('node:') || file.startsWith(OWN) || file.includes('/node_modules/holdfast/dist/')
  );
}

/** Whether code is that of the pool below holdfast, which carries messages to its threads, and waits in them for the next one. */
export function isOfPool(file: string): boolean {
  return file.includes('/node_modules/piscina/');
}
