/** Durations, sizes and counts as people write and read them. Imports nothing heavy: `cli` needs it at startup. */
import { HoldfastError } from './errors.js';

/**
 * The longest duration a timer of Node takes, in milliseconds (24.8 days). A
 * longer one fires at once (`TimeoutOverflowWarning`), so none is accepted.
 */
export const MAX_DURATION_MS = 2_147_483_647;

const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_PER_UNIT = { KB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3 } as const;

/**
 * Milliseconds of a text such as `500ms`, `2s`, `1.5m`, `1h` or `1d`, rounded up to a whole one.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if it is anything else, or has no unit.
 */
export function parseDuration(text: string): number {
  const [amount, unit] = split(text, 'duration', 'write 500ms, 2s, 5m, 1h or 1d');
  if (!Object.hasOwn(MS_PER_UNIT, unit)) {
    throw invalid(text, `is not a duration: use ms, s, m, h or d`);
  }
  return Math.ceil(amount * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT]);
}

/**
 * Bytes of a text such as `512KB`, `128MB` or `1.5GB`, rounded up to a whole
 * one. A KB is 1024 bytes, as V8 counts its heap.
 *
 * @throws HoldfastError `ERR_INVALID_OPTIONS` if it is anything else, or has no unit.
 */
export function parseSize(text: string): number {
  const [amount, unit] = split(text, 'size', 'write 512KB, 128MB or 2GB');
  const name = unit.toUpperCase();
  if (!Object.hasOwn(BYTES_PER_UNIT, name)) {
    throw invalid(text, `is not a size: use KB, MB or GB`);
  }
  return Math.ceil(amount * BYTES_PER_UNIT[name as keyof typeof BYTES_PER_UNIT]);
}

function split(text: string, kind: string, examples: string): [amount: number, unit: string] {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text);
  if (match === null) throw invalid(text, `is not a ${kind}: ${examples}`);
  const [, amount, unit] = match as unknown as [string, string, string];
  if (unit === '') throw invalid(text, `has no unit: ${examples}`);
  return [Number(amount), unit];
}

function invalid(text: string, problem: string): HoldfastError {
  return new HoldfastError('ERR_INVALID_OPTIONS', `${JSON.stringify(text)} ${problem}`);
}

/** Milliseconds for people: `0.42ms`, `350ms`, `1.5s`, `2m 3s`, `1h 5m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${trimmed(ms)}ms`;
  if (ms < 59_950) return `${trimmed(ms / 1_000, 1)}s`;
  const units = [
    ['d', MS_PER_UNIT.d],
    ['h', MS_PER_UNIT.h],
    ['m', MS_PER_UNIT.m],
    ['s', MS_PER_UNIT.s],
  ] as const;
  const seconds = Math.round(ms / 1_000) * 1_000;
  const first = units.findIndex(([, length]) => seconds >= length);
  // `ms` is at least a minute here, so there is always a smaller unit to follow.
  const [big, small] = [units[first]!, units[first + 1]!];
  const rest = Math.floor((seconds % big[1]) / small[1]);
  const head = `${Math.floor(seconds / big[1])}${big[0]}`;
  return rest === 0 ? head : `${head} ${rest}${small[0]}`;
}

/** Bytes for people, in units of 1024: `512 B`, `1.5KB`, `128MB`, `2GB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GB', 'MB', 'KB'] as const) {
    // What would be shown as 1024 of a unit is shown as 1 of the next.
    if (bytes >= BYTES_PER_UNIT[unit] - 0.05 * (BYTES_PER_UNIT[unit] / 1_024)) {
      return `${trimmed(bytes / BYTES_PER_UNIT[unit], 1)}${unit}`;
    }
  }
  return `${Math.round(bytes)} B`;
}

/** A whole number with thousands set apart: `1,234,567`. */
export function formatCount(count: number): string {
  // `toLocaleString` costs 30 times as much, and follows the locale of the machine.
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0.2/s`, `9.5/s`, `12/s`, `1,234/s`. */
export function formatRate(perSecond: number): string {
  return `${perSecond < 10 ? trimmed(perSecond, 1) : formatCount(perSecond)}/s`;
}

/** At most `digits` behind the point, fewer the larger the value is, and no trailing zeros. */
function trimmed(value: number, digits = value < 10 ? 2 : value < 100 ? 1 : 0): string {
  return String(Number(value.toFixed(digits)));
}
