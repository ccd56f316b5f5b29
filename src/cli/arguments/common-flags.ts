/** What the help says of flags that many commands have. */
import { CONFIG as CONFIG_ROW, DIR } from '../../options/common-options.js';
import { helpOf } from './flags.js';

export const FOLDER = helpOf(DIR);
export const CONFIG = helpOf(CONFIG_ROW);
