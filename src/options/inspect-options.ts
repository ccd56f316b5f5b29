/** Every option of `runtime inspect`: a row each. */
import { COLOR, CONFIG, DIR } from './common-options.js';
import { duration, onOff } from './kinds.js';
import type { Options } from './option.js';

export const INSPECT_OPTIONS = {
  json: {
    says: 'print one JSON document (docs/inspection-format.md); with --watch one a line',
    takes: onOff,
    unset: false,
    flag: '--json',
  },
  watch: {
    says: 'look again and again, until Ctrl-C',
    takes: duration(100),
    unsetSays: 'every 2s',
    flag: '--watch [interval]',
  },
  all: {
    says: 'leave nothing out: internals of Node and of holdfast, trees of any size',
    takes: onOff,
    unset: false,
    flag: '--all',
  },
  maxPause: {
    says: 'how long a thread may stand still while its heap is written',
    takes: duration(0),
    unset: '5s',
    flag: '--max-pause <duration>',
  },
  color: COLOR,
  dir: DIR,
  config: CONFIG,
} as const satisfies Options;
