import { relative } from 'node:path';
import { configNames } from '../../config/find-config.js';
import { inShell } from '../../base/in-shell.js';
import { StateDir } from '../../system/state-dir.js';

/**
 * A command to be typed next, such as `runtime status nightly`; with `--dir`
 * where the state is not in the folder that would be looked into without it.
 */
export function commandFor(words: string, root: string): string {
  // What a config file says may be another folder: it is not read again for this.
  const isUsual =
    root === new StateDir().root && (process.env['RUNTIME_DIR'] || configNames(process.cwd()).length === 0);
  if (isUsual) return `runtime ${words}`;
  const near = relative('', root);
  return `runtime ${words} --dir ${inShell(near.startsWith('..') ? root : near || '.')}`;
}
