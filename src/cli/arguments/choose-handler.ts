import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { HoldfastError } from '../../base/errors.js';

/**
 * The handler that was asked for; where none was, the `default` export, or the only one.
 *
 * @param module `file:` URL
 * @param asFlag how to ask for one
 * @throws HoldfastError ERR_HANDLER_MISSING, naming what there is
 */
export function chooseHandler(
  module: string,
  wanted: string | undefined,
  handlers: ReadonlySet<string>,
  asFlag: (name: string) => string,
): string {
  const names = [...handlers];
  const hint = names.length === 0 ? 'It exports no function at all.' : `It exports: ${names.join(', ')}.`;
  const path = decodeURIComponent(new URL(module).pathname);
  if (wanted !== undefined) {
    if (handlers.has(wanted)) return wanted;
    throw new HoldfastError('ERR_HANDLER_MISSING', `${path} exports no function "${wanted}"`, { hint });
  }
  if (handlers.has('default')) return 'default';
  if (names.length === 1) return names[0]!;
  throw new HoldfastError('ERR_HANDLER_MISSING', `which function of ${path} is to run the tasks?`, {
    hint: names.length === 0 ? hint : `${hint} Choose one: ${asFlag(names[0]!)}`,
  });
}

/** A file of handlers, absolute, and one of its exports; `undefined`: the default or only one. */
export interface HandlerFile {
  file: string;
  name: string | undefined;
}

/** Reads `file`, or `file#export`; gives `undefined` if there is no such file. */
export function handlerFile(text: string, cwd: string): HandlerFile | undefined {
  const [, path, name] = /^(.+?)(?:#([\p{ID_Continue}$]+))?$/u.exec(text) ?? [];
  const file = resolve(cwd, path ?? text);
  return existsSync(file) ? { file, name } : undefined;
}
