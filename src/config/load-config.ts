/** A config file, read and checked. */
import { dirname, resolve } from 'node:path';
import { faultsTogether } from '../dryrun/options.js';
import type { Fault } from '../base/errors.js';
import { attempt } from '../options/refusal.js';
import { invalid, unreadable } from './config-fault.js';
import { LOAD_DEADLINE_MS } from './load-deadline.js';
import { readConfig } from './read-config.js';
import type { RuntimeConfig } from './runtime-config.js';
import { CONFIG_FILE } from './schema.js';

/**
 * What a config file holds, as it is written there; only relative paths have
 * become absolute, from the folder of the file. No default is filled in.
 *
 * @param path absolute
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault; HoldfastError `ERR_INVALID_OPTIONS` if it cannot be read
 */
export async function loadConfig(path: string, deadlineMs = LOAD_DEADLINE_MS): Promise<RuntimeConfig> {
  const content = await readConfig(path, deadlineMs);
  const faults = faultsOfContent(path, content);
  if (faults.length > 0) throw invalid(path, faults);
  return withAbsolutePaths(content as RuntimeConfig, dirname(path));
}

/** What a module exports may be anything, also something that throws when it is looked at. */
function faultsOfContent(path: string, content: unknown): Fault[] {
  try {
    return faultsIn(content);
  } catch (error) {
    throw unreadable(path, `what it exports cannot be read: ${String((error as Error)?.message ?? error)}`, {
      cause: error,
    });
  }
}

function faultsIn(content: unknown): Fault[] {
  const found = attempt(() => CONFIG_FILE.read(content, 'file'));
  const faults = 'faults' in found ? found.faults : [];
  const dryRun = (content as Partial<RuntimeConfig> | null)?.dryRun;
  return [
    ...faults.map(({ where, problem }) => ({ where: where || 'the file', problem })),
    ...faultsTogether(dryRun ?? {}).map(({ where, problem }) => ({ where: `dryRun: ${where}`, problem })),
  ];
}

function withAbsolutePaths(config: RuntimeConfig, folder: string): RuntimeConfig {
  return {
    ...absolute(config, ['dir'], folder),
    ...(config.dryRun && { dryRun: absolute(config.dryRun, ['events', 'handler'], folder) }),
    ...(config.smoke && { smoke: absolute(config.smoke, ['handler'], folder) }),
  };
}

/** A copy. The name of an export behind a path (`#name`) stays what it is. */
function absolute<Settings extends object>(settings: Settings, paths: (keyof Settings)[], folder: string): Settings {
  const copy = { ...settings };
  for (const key of paths) {
    const path = settings[key];
    if (typeof path === 'string') copy[key] = resolve(folder, path) as Settings[typeof key];
  }
  return copy;
}
