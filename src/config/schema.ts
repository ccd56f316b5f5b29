/** What a config file may hold: the rows of the tables of options that a config file takes. */
import { DIR } from '../options/common-options.js';
import { DRY_RUN_OPTIONS } from '../options/dry-run-options.js';
import { group } from '../options/group.js';
import { text } from '../options/kinds.js';
import { having, type GivenFor, type Having, type Kind, type Options, type SameKeys } from '../options/option.js';
import { RUN_OPTIONS } from '../options/run-options.js';
import { SMOKE_OPTIONS } from '../options/smoke-options.js';
import { SMOKE_FUNCTIONS } from '../smoke/options.js';
import type { DryRunConfig, RunConfig, RuntimeConfig, SmokeConfig } from './runtime-config.js';

const smokeTexts = having('config', SMOKE_OPTIONS);

const SMOKE = 'what `runtime smoke` boots, waits for and checks';

const texts = {
  dir: DIR,
  run: { says: 'how `runtime run` runs tasks', takes: group(having('config', RUN_OPTIONS)) },
  dryRun: { says: 'what `runtime dry-run` makes, and where it goes', takes: group(having('config', DRY_RUN_OPTIONS)) },
  smoke: { says: SMOKE, takes: group(smokeTexts) },
  $schema: {
    says: 'where the JSON Schema of this file is',
    takes: text('must be the address of a JSON Schema', 'path or URL; not read'),
  },
} as const satisfies Options;

const all = {
  ...texts,
  smoke: { says: SMOKE, takes: group({ ...smokeTexts, ...SMOKE_FUNCTIONS }) },
} as const satisfies Options;

/** What YAML and JSON can hold: no functions. */
export const TEXT_CONFIG_OPTIONS: Options = texts;

/** What a module can hold. */
export const CONFIG_OPTIONS: Options = all;

/** The whole of a file. */
export const CONFIG_FILE: Kind<unknown> = group(all);

// The interfaces are what people read; here the compiler holds them against the tables.
({}) as RuntimeConfig satisfies GivenFor<typeof all>;
true satisfies SameKeys<RuntimeConfig, typeof all>;
true satisfies SameKeys<RunConfig, Having<'config', typeof RUN_OPTIONS>>;
true satisfies SameKeys<DryRunConfig, Having<'config', typeof DRY_RUN_OPTIONS>>;
true satisfies SameKeys<SmokeConfig, typeof smokeTexts & typeof SMOKE_FUNCTIONS>;
