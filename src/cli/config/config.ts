import { resolve } from 'node:path';
import { shownPath } from '../../config/config-fault.js';
import { variableAbove } from '../../config/environment.js';
import { CONFIG_KINDS, findConfig } from '../../config/find-config.js';
import { configJsonSchema } from '../../config/json-schema.js';
import { loadConfig } from '../../config/load-config.js';
import { HoldfastError } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { printable } from '../../base/printable.js';
import { configPath } from '../arguments/config-values.js';
import { EXIT } from '../exit-code.js';
import { table } from '../screen/table.js';
import { printJson, tell } from '../screen/terminal.js';

/** `runtime config check [file]` */
export async function configCheck(
  file: string | undefined,
  given: { config?: string; json?: boolean },
): Promise<number> {
  if (file !== undefined && given.config !== undefined) {
    const both = `${quoted(file)} and --config ${quoted(given.config)}`;
    throw new HoldfastError('ERR_INVALID_OPTIONS', `${both} name the file to check twice`);
  }
  const chosen = file ?? given.config;
  const path = chosen === undefined ? findConfig(process.cwd()) : configPath(chosen);
  if (path === undefined) throw nothingToCheck(process.cwd());
  const config = await loadConfig(path);
  tell(`${shownPath(path)} is valid`);
  if (given.json) {
    const plain = (_: string, value: unknown) => (typeof value === 'function' ? '[function]' : value);
    printJson({ schema: 1, file: path, config: JSON.parse(JSON.stringify(config, plain)) as unknown });
  } else {
    process.stdout.write(settingsTable(config));
  }
  return EXIT.ok;
}

/** `runtime config schema` */
export function configSchema(): Promise<number> {
  process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return Promise.resolve(EXIT.ok);
}

/** Each key with its value, and what stands above it. */
export function settingsTable(config: object): string {
  return table([...settings(config)].map(([name, value]) => [printable(name), printable(quoted(value)), above(name)]));
}

/** Each key with a value, as a fault would name it. */
function* settings(value: object, path = ''): Generator<[string, unknown]> {
  for (const [key, below] of Object.entries(value) as [string, unknown][]) {
    const name = path === '' ? key : `${path}.${key}`;
    if (typeof below === 'object' && below !== null && !Array.isArray(below)) yield* settings(below, name);
    else yield [name, below];
  }
}

/** That a value has no effect here is no fault, and yet what one looks for in vain. */
function above(name: string): string {
  const variable = variableAbove(name);
  return variable === undefined ? '' : `(${variable} is set, and takes precedence)`;
}

function nothingToCheck(folder: string): HoldfastError {
  const kinds = CONFIG_KINDS.join(', .');
  return new HoldfastError('ERR_INVALID_OPTIONS', `there is no config file in ${resolve(folder)}: none is needed`, {
    hint:
      `To make one, write a runtime.config (.${kinds}), such as this runtime.config.yaml:\n` +
      '  run:\n    threads: 4\n    timeout: 30s\n' +
      'What else may be in it: runtime config schema',
  });
}
