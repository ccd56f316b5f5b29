import { DRY_RUN_ENV } from '../dryrun/options.js';

/** The variables of the environment that stand above the config file, by the path of their key in it. */
export const CONFIG_ENV: Readonly<Record<string, string>> = {
  dir: 'RUNTIME_DIR',
  'smoke.timeout': 'BOOT_TIMEOUT_S',
  ...under('dryRun', DRY_RUN_ENV),
};

/** The variable that makes a key of the config file count for nothing; an empty one is as good as none. */
export function variableAbove(path: string, env: Record<string, string | undefined> = process.env): string | undefined {
  const name = CONFIG_ENV[path];
  return name !== undefined && env[name] ? name : undefined;
}

function under(section: string, names: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [`${section}.${key}`, name]));
}
