import { basename } from 'node:path';
import type { Command } from 'commander';
import { findConfig } from '../../config/find-config.js';
import { readConfig } from '../../config/read-config.js';
import { HoldfastError } from '../../base/errors.js';
import { didYouMean, quoted } from '../../base/faults.js';
import { printable } from '../../base/printable.js';
import { StateDir } from '../../system/state-dir.js';
import { EXIT } from '../exit-code.js';
import { candidatesFor } from './candidates.js';
import { SHELLS } from './shells.js';

/** `runtime completion <shell>` */
export function completion(shell: string): Promise<number> {
  const shells = Object.keys(SHELLS);
  if (!shells.includes(shell)) {
    const meant = didYouMean(basename(shell), shells);
    const message = `there is a completion for ${shells.join(', ')}, not for ${quoted(shell)}${meant}`;
    throw new HoldfastError('ERR_INVALID_OPTIONS', message);
  }
  process.stdout.write(SHELLS[shell as keyof typeof SHELLS]);
  return Promise.resolve(EXIT.ok);
}

/** `runtime complete -- <words>`, which the shells ask; see `shells.ts`. */
export async function complete(program: Command, words: readonly string[]): Promise<number> {
  const { words: found, names } = candidatesFor(program, words);
  const runs = names === 'run' ? await runIds(words) : [];
  const current = words.at(-1) ?? '';
  const lines = [...found, ...runs.map((word) => ({ word, says: '' }))]
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, says }) => `${word}\t${printable(says)}`);
  process.stdout.write([`:${names === 'run' ? '' : (names ?? '')}`, ...lines, ''].join('\n'));
  return EXIT.ok;
}

/** Those that the command would know. What goes wrong is for that to say. */
async function runIds(words: readonly string[]): Promise<string[]> {
  try {
    return new StateDir(typedFolder(words) ?? (await configuredFolder())).runIds();
  } catch {
    return [];
  }
}

function typedFolder(words: readonly string[]): string | undefined {
  const joined = words.find((word) => word.startsWith('--dir='))?.slice('--dir='.length);
  const index = words.indexOf('--dir');
  return joined ?? (index === -1 ? undefined : words[index + 1]);
}

/** A config file that is a module is not run for a key that is pressed. */
async function configuredFolder(): Promise<string | undefined> {
  if (process.env['RUNTIME_DIR']) return undefined;
  const path = findConfig(process.cwd());
  if (path === undefined || !/\.(json|ya?ml)$/.test(path)) return undefined;
  const { dir } = ((await readConfig(path, 0)) ?? {}) as { dir?: unknown };
  return typeof dir === 'string' ? dir : undefined;
}
