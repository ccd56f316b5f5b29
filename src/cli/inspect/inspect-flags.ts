/** The argument and flags of `runtime inspect`, checked as a whole. */
import { InvalidInputError, type Fault } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { RUN_ID } from '../../system/state-dir.js';
import { INSPECT_OPTIONS } from '../../options/inspect-options.js';
import { readOptions } from '../../options/read-options.js';
import { flagNames } from '../arguments/flags.js';
import { flagName, unknownArguments } from '../arguments/unknown-arguments.js';
import { besideWatch } from '../arguments/watch-interval.js';

/** What commander collected. */
export interface GivenToInspect {
  json?: boolean;
  watch?: string | true;
  all?: boolean;
  maxPause?: string;
  color?: boolean;
  dir?: string;
}

export interface InspectFlags {
  /** A run id, or a process id. */
  target: string;
  json: boolean;
  /** Milliseconds from the end of a look to the next one; `undefined`: there is one look. */
  watchMs: number | undefined;
  all: boolean;
  maxPauseMs: number;
  color: boolean;
  dir: string | undefined;
}

const WATCH_MS = 2_000;

/**
 * @param extra arguments that no flag took
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault
 */
export function resolveInspectFlags(
  first: string | undefined,
  given: GivenToInspect,
  extra: readonly string[],
): InspectFlags {
  const faults: Fault[] = [];
  // A flag that is not known comes in the place of the argument, where none was given.
  const typed = first?.startsWith('-') ? undefined : first;
  const { argument: target, interval } = besideWatch(typed, given.watch);
  if (target === undefined) {
    faults.push({ where: '<run-id|pid>', problem: 'is missing: say which run, or which process, to look into' });
  } else if (!RUN_ID.test(target)) {
    faults.push({ where: '<run-id|pid>', problem: `must be the id of a run or of a process, got ${quoted(target)}` });
  }
  const asWatched = typeof interval === 'string' ? interval : undefined;
  const { values, faults: wrong } = readOptions(INSPECT_OPTIONS, { ...given, watch: asWatched }, 'flag');
  faults.push(...wrong.map(({ where, problem }) => ({ where: flagName(where), problem })));
  const watchMs = interval === undefined ? undefined : (values.watch ?? WATCH_MS);
  const about = {
    known: flagNames(INSPECT_OPTIONS),
    command: 'runtime inspect',
    tooMany: 'one run, or one process, is looked into',
  };
  const unknown = first?.startsWith('-') ? [first, ...extra] : extra;
  faults.push(...unknownArguments(unknown, about));
  if (faults.length > 0 || target === undefined) {
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was inspected', faults, {
      hint: 'runtime inspect --help shows how; `runtime status` lists runs, `pgrep -a node` processes.',
    });
  }
  const { json, all, maxPause: maxPauseMs, color, dir } = values;
  return { target, json, watchMs, all, maxPauseMs, color, dir };
}
