import { fileURLToPath } from 'node:url';

/** Where this package's own code is. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Whether code is Node's, or holdfast's own: hidden unless all is asked for. Scripts that are not known are V8's.
 * @param file of the code that runs, not of its source
 */
export function isInternal(file: string): boolean {
  return file === '' || file.startsWith('node:') || isOwn(file);
}

/** Whether code is holdfast's own. */
export function isOwn(file: string): boolean {
  return file.startsWith(OWN) || file.includes('/node_modules/holdfast/dist/');
}

/** Whether code is that of a package below holdfast: in its processes and threads it only carries what is asked of it. */
export function isBelowOwn(file: string): boolean {
  return /\/node_modules\/(piscina|commander)\//.test(file);
}

/** Whether a process, by its command line, is one of the command `runtime`. */
export function isOwnCommand(command: string): boolean {
  return command.includes(`${OWN}cli/`) || command.includes('/node_modules/holdfast/dist/cli/');
}
