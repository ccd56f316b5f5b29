/** A key of the config file: the check of the option it sets, and what JSON Schema says of it. */
import type { z } from 'zod';
import { withUnit } from '../runtime/options.js';
import { formatDuration } from '../base/units.js';

/** The check of an option that may be absent. */
type OptionCheck<Inner extends z.ZodType> = z.ZodDefault<Inner> | z.ZodOptional<Inner>;
/** What JSON Schema can say of a check that is a function of ours. */
type Hints = { pattern?: string; enum?: unknown[]; type?: string | string[]; exclusiveMinimum?: number };
type Measure = z.ZodType<number, number | string>;

/**
 * The key may be absent. Its default is told, but not filled in: it is the
 * command that puts flags and the environment above this file, and defaults below.
 */
export function setting<Inner extends z.ZodType>(check: OptionCheck<Inner>, description: string, more: Hints = {}) {
  return described(check.unwrap(), description, defaultOf(check), more);
}

/** Such as `30s`. */
export function durationSetting(check: OptionCheck<Measure>, description: string) {
  const unset = defaultOf(check) as number | undefined;
  return described(
    withUnit('"500ms" or "30s"', check.unwrap()),
    description,
    unset === undefined ? undefined : formatDuration(unset),
    { pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h|d)$` },
  );
}

/** Such as `512MB`. */
export function sizeSetting(check: OptionCheck<Measure>, description: string) {
  const pattern = String.raw`^\d+(\.\d+)?[KkMmGg][Bb]$`;
  return described(withUnit('"512KB" or "128MB"', check.unwrap()), description, undefined, { pattern });
}

function described<Check extends z.ZodType>(check: Check, description: string, unset: unknown, more: Hints) {
  return check.optional().meta({ description, ...(unset !== undefined && { default: unset }), ...more });
}

/** What the option is where nobody sets it; `undefined` if it has no default. */
function defaultOf(check: z.ZodType): unknown {
  return check.safeParse(undefined).data;
}
