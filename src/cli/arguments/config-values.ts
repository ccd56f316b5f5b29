/** The config file stands below flags and environment, and above defaults: here it takes its place. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { findConfig, isModule } from '../../config/find-config.js';
import type { RuntimeConfig } from '../../config/runtime-config.js';
import { HoldfastError } from '../../base/errors.js';

/** The section of each command that has one; the others take `dir` alone. */
const SECTIONS: Readonly<Record<string, Section>> = { run: 'run', 'dry-run': 'dryRun', smoke: 'smoke' };
type Section = 'run' | 'dryRun' | 'smoke';

/** Flags that say the same thing in another way: what is typed of the one leaves the other of the file without effect. */
const INSTEAD: Readonly<Record<string, string>> = { 'dryRun.count': 'duration', 'dryRun.duration': 'count' };

/**
 * Gives a command what the config file says, as if it had been typed, wherever
 * no flag was. So a command knows but one way that its options come.
 *
 * Without a config file this costs a few looks at the folder, and loads nothing.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` with every fault of the file
 */
export async function takeConfig(command: Command): Promise<void> {
  const section = SECTIONS[command.name()];
  const wantsDir = command.options.some(({ long }) => long === '--dir');
  if (section === undefined && !wantsDir) return;
  const chosen = command.getOptionValue('config') as string | undefined;
  const knowsDir = isTyped(command, 'dir') || Boolean(process.env['RUNTIME_DIR']);
  // So that a probe need not pay for a config file, and a wrong one keeps nobody from looking and steering.
  if (chosen === undefined && section === undefined && knowsDir) return;
  const path = chosen === undefined ? findConfig(process.cwd()) : configPath(chosen);
  if (path === undefined) return;
  const [config, { variableAbove }] = await Promise.all([read(path, section), import('../../config/environment.js')]);
  // So that whatever is written can be held against it.
  if (command.options.some(({ long }) => long === '--config'))
    command.setOptionValueWithSource('config', path, 'config');
  const give = (key: string, value: unknown, from: string) => {
    const instead = INSTEAD[from];
    if (isTyped(command, key) || (instead !== undefined && isTyped(command, instead))) return;
    if (variableAbove(from) !== undefined) return;
    command.setOptionValueWithSource(key, value, 'config');
  };
  if (wantsDir && config.dir !== undefined) give('dir', config.dir, 'dir');
  for (const [key, value] of settingsOf(config, section)) give(key, value, `${section}.${key}`);
}

/** Functions are of use where they are; all else comes from a process apart, as this one may be about to keep a queue. */
async function read(path: string, section: Section | undefined): Promise<RuntimeConfig> {
  if (isModule(path) && section !== 'smoke') {
    return (await import('../../config/evaluate-config.js')).evaluateConfig(path);
  }
  return (await import('../../config/load-config.js')).loadConfig(path);
}

/** A path from the command line, absolute. @throws HoldfastError `ERR_INVALID_OPTIONS` for an empty one */
export function configPath(typed: string): string {
  if (typed === '') throw new HoldfastError('ERR_INVALID_OPTIONS', '--config: must be a file, got ""');
  return resolve(typed);
}

function settingsOf(config: RuntimeConfig, section: Section | undefined): [string, unknown][] {
  const settings = section === undefined ? {} : (config[section] ?? {});
  return Object.entries(settings).filter(([, value]) => value !== undefined);
}

/** commander has defaults of its own for flags such as `--no-color`. */
function isTyped(command: Command, key: string): boolean {
  return ![undefined, 'default'].includes(command.getOptionValueSource(key));
}
