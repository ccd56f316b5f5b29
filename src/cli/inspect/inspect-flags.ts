/** The argument and flags of `runtime inspect`, checked as a whole. */
import { MAX_PAUSE_MS } from '../../debug/max-pause.js';
import { InvalidInputError, type Fault } from '../../base/errors.js';
import { quoted } from '../../base/faults.js';
import { RUN_ID } from '../../system/state-dir.js';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../../base/units.js';
import { unknownArguments } from '../arguments/unknown-arguments.js';
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

const FLAGS = ['--json', '--watch', '--all', '--max-pause', '--no-color', '--dir', '--config'];
const WATCH_MS = 2_000;
const MIN_WATCH_MS = 100;

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
  const duration = (where: string, text: string, atLeast: number): number => {
    try {
      const ms = parseDuration(text);
      if (ms >= atLeast && ms <= MAX_DURATION_MS) return ms;
      const range = `${formatDuration(atLeast)} to ${formatDuration(MAX_DURATION_MS)}`;
      faults.push({ where, problem: `must be ${range}, got ${quoted(text)}` });
    } catch (error) {
      faults.push({ where, problem: (error as Error).message });
    }
    return 0;
  };
  const watchMs = typeof interval === 'string' ? duration('--watch', interval, MIN_WATCH_MS) : interval && WATCH_MS;
  const maxPauseMs = given.maxPause === undefined ? MAX_PAUSE_MS : duration('--max-pause', given.maxPause, 0);
  if (given.dir === '') faults.push({ where: '--dir', problem: 'must be the path of a folder, got ""' });
  const about = { known: FLAGS, command: 'runtime inspect', tooMany: 'one run, or one process, is looked into' };
  const unknown = first?.startsWith('-') ? [first, ...extra] : extra;
  faults.push(...unknownArguments(unknown, about));
  if (faults.length > 0 || target === undefined) {
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was looked at', faults, {
      hint: 'runtime inspect --help shows how; `runtime status` lists runs, `pgrep -a node` processes.',
    });
  }
  const { json = false, all = false, color = true, dir } = given;
  return { target, json, watchMs, all, maxPauseMs, color, dir };
}
