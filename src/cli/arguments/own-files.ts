/** What a command writes must not be what it reads, or what its run owns: found by inode, whatever the path. */
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  type BigIntStats,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidInputError } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import type { StateDir } from '../../system/state-dir.js';
import type { RunFlags } from '../run/run-flags.js';

export interface OwnFile {
  /** A path, or a descriptor. */
  file: string | number;
  /** What it is, as it goes on behind its name: `holds the tasks`. */
  is: string;
}

/** Folders of the state folder in which everything is ours. */
const OWN_FOLDERS = ['runs', 'locks', 'debug'];

/**
 * @param config path of the config file, if there is one
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` when the file of `--results` would be written over what the run reads or owns
 */
export function refuseOwnResults(flags: RunFlags, config: string | undefined, stateDir: StateDir): void {
  const { results, source, executor } = flags;
  if (results === undefined || results === '-') return;
  const own: OwnFile[] = [];
  if (executor.handlers.startsWith('file:')) {
    own.push({ file: fileURLToPath(executor.handlers), is: 'is the module of the handlers' });
  }
  if (config !== undefined) own.push({ file: config, is: 'is the config file' });
  if (source.kind === 'tasks' && source.file !== '-') own.push({ file: source.file, is: 'holds the tasks' });
  else if (source.kind !== 'each') own.push({ file: 0, is: 'is standard input' });
  own.push(...filesOfRun(stateDir, executor.runId));
  const clash = clashOf(results, own, stateDir) ?? foreignContent(results);
  if (clash === undefined) return;
  const problem = `${quoted(results)} ${clash}, and would be overwritten`;
  throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was started', [{ where: '--results', problem }]);
}

/** What an earlier run wrote is written anew. What else lies there may be an input, or a file that the module imports. */
function foreignContent(target: string): string | undefined {
  if (look(target) === undefined) return undefined;
  const [line, more] = beginOf(target).split('\n', 2);
  // Without an end, it may be one that was never written to its end.
  const isOutcome = line === '' || (more === undefined ? line!.startsWith('{"id":"') : OUTCOME.test(line!));
  return isOutcome ? undefined : 'is there, and holds no outcomes';
}

const OUTCOME = /^\{"id":".*"state":"[a-z-]+","attempts":\d/;

/** Its first 64 KB at most; nothing of what cannot be read: why is told where it is opened. */
function beginOf(path: string): string {
  const bytes = Buffer.alloc(1 << 16);
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  } catch {
    return '';
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Why `target` must not be written, as words behind its name; `undefined`: it may. */
export function clashOf(target: string, own: readonly OwnFile[], stateDir?: StateDir): string | undefined {
  const place = realPlace(resolve(target));
  for (const name of stateDir === undefined ? [] : OWN_FOLDERS) {
    const folder = join(stateDir!.root, name);
    if (`${place}${sep}`.startsWith(`${realPlace(folder)}${sep}`))
      return `lies in ${folder}, where the state of runs is`;
  }
  const found = look(target);
  if (found === undefined) return undefined;
  return own.find(({ file }) => isSame(found, look(file)))?.is;
}

/** A name of their own outside of the state folder would be a hard link. */
function filesOfRun(stateDir: StateDir, runId: string): OwnFile[] {
  const folder = stateDir.runDir(runId);
  return [stateDir.lockPath(runId), ...namesIn(folder).map((name) => join(folder, name))].map((file) => ({
    file,
    is: `is a file of the run ${runId} itself`,
  }));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Where a path leads to once all links are followed; what is not there yet lies in its folder. */
function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPlace(folder), path.slice(folder.length));
  }
}

/** Only of plain files: what is written to a device or a pipe overwrites nothing. */
function look(file: string | number): BigIntStats | undefined {
  try {
    const stat = typeof file === 'number' ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
    return stat.isFile() ? stat : undefined;
  } catch {
    return undefined;
  }
}

function isSame(one: BigIntStats, other: BigIntStats | undefined): boolean {
  return other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
