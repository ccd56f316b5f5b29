/** What the help says of flags that many commands have. */
import type { Command } from 'commander';
import { CONFIG as CONFIG_ROW, DIR } from '../../options/common-options.js';
import { helpOf } from './flags.js';

export const FOLDER = helpOf(DIR);
export const CONFIG = helpOf(CONFIG_ROW);

/** The flags by which a command finds the runs. */
export function addWhere(command: Command): Command {
  return command.option('--dir <folder>', FOLDER).option('--config <file>', CONFIG);
}
