/** A config file that is a module: what it exports by default. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HoldfastError } from '../base/errors.js';
import { toErrorRecord } from '../runtime/thread/error-record.js';
import { importGuarded, LateModule } from '../system/import-guarded.js';
import { shownPath, unreadable } from './config-fault.js';

/** @throws HoldfastError `ERR_INVALID_OPTIONS` if it throws, is not done in time, or exports no object by default */
export async function readModule(path: string, deadlineMs: number): Promise<unknown> {
  const exported = await loaded(path, deadlineMs);
  if (!('default' in exported)) {
    throw unreadable(path, 'it has no default export', { hint: 'Write: export default { run: { threads: 4 } }' });
  }
  const value = unwrapped(exported['default']);
  if (typeof value === 'function') throw unreadable(path, 'its default export is a function: export what it returns');
  if (value instanceof Promise) throw unreadable(path, 'its default export is a promise: write export default await …');
  return value;
}

/** TypeScript that was compiled to CommonJS has its default export in the object that is the default for Node. */
function unwrapped(value: unknown): unknown {
  const isCompiled = typeof value === 'object' && value !== null && '__esModule' in value && 'default' in value;
  return isCompiled ? value.default : value;
}

async function loaded(path: string, deadlineMs: number): Promise<Record<string, unknown>> {
  try {
    return await importGuarded(pathToFileURL(path).href, deadlineMs);
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const why = error instanceof LateModule ? error.message : whatItThrew(path, error);
    throw unreadable(path, why, { cause: error });
  }
}

function whatItThrew(path: string, thrown: unknown): string {
  const { name, message, stack = '' } = toErrorRecord(thrown);
  const prefix = name === 'Error' || name === 'NonError' ? '' : `${name}: `;
  const place = placeIn(stack);
  const where =
    place !== undefined
      ? ` (${place})`
      : name === 'SyntaxError'
        ? ` (node --check ${shownPath(path)} shows where)`
        : '';
  // tsx tells what it could not read in several lines; Node tells who asked for a module, which is this file.
  const words = message
    .split('\nRequire stack:', 1)[0]!
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return `${prefix}${words}${where}`;
}

const OURS = fileURLToPath(new URL('..', import.meta.url));

/** The user's own line in a stack: the first file in it, packages left out, unless that is ours. */
function placeIn(stack: string): string | undefined {
  for (const line of stack.split('\n')) {
    const [, file, place] = /(?:^|[\s(])(file:\/\/\/.*?|\/.*?):(\d+(?::\d+)?)\)?$/.exec(line) ?? [];
    if (file === undefined) continue;
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (path.startsWith(OURS)) return undefined;
    if (!path.includes('/node_modules/')) return `${shownPath(path)}:${place}`;
  }
  return undefined;
}
