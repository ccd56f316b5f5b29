import { DIR } from '../options/common-options.js';
import { DRY_RUN_OPTIONS } from '../options/dry-run-options.js';
import { having, variablesOf, type Options } from '../options/option.js';
import { SMOKE_OPTIONS } from '../options/smoke-options.js';

/** The variables of the environment that stand above the config file, by the path of their key in it. */
export const CONFIG_ENV: Readonly<Record<string, string>> = {
  dir: DIR.variable,
  ...under('dryRun', DRY_RUN_OPTIONS),
  ...under('smoke', SMOKE_OPTIONS),
};

/** The variable that makes a key of the config file count for nothing; an empty one is as good as none. */
export function variableAbove(path: string, env: Record<string, string | undefined> = process.env): string | undefined {
  const name = CONFIG_ENV[path];
  return name !== undefined && env[name] ? name : undefined;
}

function under(section: string, rows: Options): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variablesOf(having('config', rows))).map(([key, name]) => [`${section}.${key}`, name]),
  );
}
