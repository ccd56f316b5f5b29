/** Every option of `runtime smoke`, and of the section `smoke` of a config file: a row each, but the functions of a module. */
import { COLOR, CONFIG, THREADS } from './common-options.js';
import { duration, onOff, text } from './kinds.js';
import type { Options } from './option.js';

export const SMOKE_OPTIONS = {
  timeout: {
    says: 'for the first event to come',
    takes: duration(1),
    unset: '8s',
    flag: '--timeout <duration>',
    variable: 'BOOT_TIMEOUT_S',
    variableUnit: ' seconds',
    config: true,
  },
  threads: THREADS,
  handler: {
    says: 'module, or module#export, that the events go to',
    takes: text('must be a file of handlers, or file#export', 'path', 'file'),
    unsetSays: 'one that checks whether they are whole',
    config: true,
  },
  json: { says: 'print one JSON document', takes: onOff, unset: false, flag: '--json' },
  junit: {
    says: 'write a JUnit report for CI, too',
    takes: text('must be a file, got ""', 'file', 'file'),
    flag: '--junit <file>',
  },
  config: CONFIG,
  color: COLOR,
} as const satisfies Options;
