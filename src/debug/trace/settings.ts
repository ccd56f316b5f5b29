/** What the variables `ASYNC_DEBUG…` say. Cheap to load: every command reads them. */
import { MAX_PAUSE_MS } from '../max-pause.js';
import { HoldfastError, InvalidInputError, type Fault } from '../../base/errors.js';
import { didYouMean, quoted } from '../../base/faults.js';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../../base/units.js';

export interface TraceSettings {
  /** From the end of one dump to the next, in ms. */
  intervalMs: number;
  /** No thread is paused for longer by a dump that comes by itself, as far as that can be told ahead, in ms. */
  maxPauseMs: number;
  /** The same for the first one. */
  startMaxPauseMs: number;
  /** Whether each dump is also written as a line of NDJSON. */
  json: boolean;
  /** Whether async_hooks tell where things were made, and when. */
  hooks: boolean;
}

type Environment = Record<string, string | undefined>;

const ON = ['1', 'true', 'yes', 'on'];
const HOOKS = 'hooks';
const OFF = ['', '0', 'false', 'no', 'off'];
const FORMATS = ['text', 'json'];

/** More often, and a program would hardly do anything else. */
const MIN_INTERVAL_MS = 100;
const DEFAULT_INTERVAL_MS = 10_000;

/**
 * A fresh heap, of up to 10 MB, takes 0.1 to 0.3 s on an idle machine. So it is shown, too, on one that is half as
 * fast and has three to do for each core.
 */
const DEFAULT_MAX_PAUSE_MS = 2_000;

/**
 * @param whereUnset what an `ASYNC_DEBUG` that is unset or empty stands for
 * @returns `undefined` where it is off: the other variables are not looked at then
 * @throws InvalidInputError `ERR_INVALID_OPTIONS` with every fault: a setting that cannot be read is never replaced by a default
 */
export function traceSettings(env: Environment, whereUnset: 'on' | 'off' = 'off'): TraceSettings | undefined {
  const value = (env['ASYNC_DEBUG'] || whereUnset).toLowerCase();
  if (OFF.includes(value)) return undefined;
  const faults: Fault[] = [];
  const known = [...ON, HOOKS, ...OFF];
  if (!known.includes(value)) {
    const problem = `must be 1, true, yes or on, hooks, or 0, false, no or off, got ${quoted(env['ASYNC_DEBUG'])}`;
    faults.push({ where: 'ASYNC_DEBUG', problem: `${problem}${didYouMean(value, known)}` });
  }
  const duration = (where: string, min: number, unset: number): number => {
    const text = env[where];
    if (!text) return unset;
    try {
      return durationFrom(text, min);
    } catch (error) {
      faults.push({ where, problem: (error as Error).message });
      return unset;
    }
  };
  const intervalMs = duration('ASYNC_DEBUG_INTERVAL', MIN_INTERVAL_MS, DEFAULT_INTERVAL_MS);
  const maxPauseMs = duration('ASYNC_DEBUG_MAX_PAUSE', 1, DEFAULT_MAX_PAUSE_MS);
  // Once, and before there is much to do, a thread may stand as long as for `runtime inspect`, unless somebody says how long.
  const startMaxPauseMs = env['ASYNC_DEBUG_MAX_PAUSE'] ? maxPauseMs : MAX_PAUSE_MS;
  const format = (env['ASYNC_DEBUG_FORMAT'] || 'text').toLowerCase();
  if (!FORMATS.includes(format)) {
    const problem = `must be text or json, got ${quoted(env['ASYNC_DEBUG_FORMAT'])}${didYouMean(format, FORMATS)}`;
    faults.push({ where: 'ASYNC_DEBUG_FORMAT', problem });
  }
  if (faults.length > 0) {
    throw new InvalidInputError('ERR_INVALID_OPTIONS', 'nothing was started', faults, {
      hint: 'These are variables of the environment. To run without dumps: ASYNC_DEBUG=0.',
    });
  }
  return { intervalMs, maxPauseMs, startMaxPauseMs, json: format === 'json', hooks: value === HOOKS };
}

function durationFrom(text: string, min: number): number {
  const ms = parseDuration(text);
  if (ms < min || ms > MAX_DURATION_MS) {
    const range = `${formatDuration(min)} to ${formatDuration(MAX_DURATION_MS)}`;
    throw new HoldfastError('ERR_INVALID_OPTIONS', `must be ${range}, got ${quoted(text)}`);
  }
  return ms;
}
