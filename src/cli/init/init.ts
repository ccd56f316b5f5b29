import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { configNames } from '../../config/find-config.js';
import { HoldfastError } from '../../base/errors.js';
import { inShell } from '../../base/in-shell.js';
import { printable } from '../../base/printable.js';
import { EXIT } from '../exit-code.js';
import { CONFIG_FILE, configText, HANDLER_FILE, HANDLER_TEXT } from './templates.js';

/** `runtime init [folder]`: writes all of its files, or none. */
export function init(folder = '.'): Promise<number> {
  const root = resolve(folder);
  const taken = [...configNames(root), ...[HANDLER_FILE].filter((name) => existsSync(join(root, name)))];
  if (taken.length > 0) throw isThere(root, taken);
  const made = makeFolder(root);
  const files = { [HANDLER_FILE]: HANDLER_TEXT, [CONFIG_FILE]: configText(root) };
  const written: string[] = [];
  try {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(root, name), text, { flag: 'wx' });
      written.push(name);
    }
  } catch (error) {
    for (const name of written) rmSync(join(root, name));
    if (made !== undefined) rmSync(made, { recursive: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw isThere(
        root,
        Object.keys(files).filter((name) => existsSync(join(root, name))),
      );
    throw new HoldfastError('ERR_INVALID_OPTIONS', `nothing was written: ${printable(message)}`, { cause: error });
  }
  process.stdout.write(whatNext(root));
  return Promise.resolve(EXIT.ok);
}

/** The first folder that had to be made. */
function makeFolder(root: string): string | undefined {
  try {
    return mkdirSync(root, { recursive: true });
  } catch (error) {
    const message = `nothing was written: ${printable((error as Error).message)}`;
    throw new HoldfastError('ERR_INVALID_OPTIONS', message, { cause: error });
  }
}

function isThere(root: string, names: readonly string[]): HoldfastError {
  const what = names.map((name) => printable(name)).join(' and ');
  const message = `${what} ${names.length === 1 ? 'is' : 'are'} in ${printable(root)} already, and nothing is overwritten`;
  return new HoldfastError('ERR_INVALID_OPTIONS', message, {
    hint: 'Nothing was written. For another folder: runtime init <folder>',
  });
}

function whatNext(root: string): string {
  const near = relative('', root);
  const enter = near === '' ? '' : `  cd ${inShell(near)}\n`;
  return `${HANDLER_FILE.padEnd(CONFIG_FILE.length)}  a handler: it counts the lines of a file
${CONFIG_FILE}  how runs go

Next:
${enter}  runtime run ${HANDLER_FILE} --each '*'
  runtime results work
  runtime run --help
`;
}
