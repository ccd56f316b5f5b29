import { quoted, didYouMean } from '../base/faults.js';
import { parseHttpAddress, type HttpAddress } from '../base/http-address.js';
import { formatCount, formatDuration, formatSize, MAX_DURATION_MS, parseDuration, parseSize } from '../base/units.js';
import { RUN_ID, RUN_ID_RULE } from '../system/state-dir.js';
import type { Kind, Origin } from './option.js';
import { Refusal } from './refusal.js';

/** With less, a thread of Node 20 dies before it has loaded anything (4 MB does, 8 MB does not). */
const MIN_HEAP_BYTES = 16 * 1024 ** 2;
const MAX_HEAP_BYTES = 1024 ** 4;

/** A command line and the environment have texts alone; what is no number is left to be refused. */
function numeral(given: unknown, origin: Origin): unknown {
  return origin === 'flag' && typeof given === 'string' && /^-?\d+(\.\d+)?$/.test(given) ? Number(given) : given;
}

export const whole = (min: number, max: number): Kind<number> => ({
  read(given, origin) {
    const value = numeral(given, origin) as number;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new Refusal(`must be a whole number from ${min} to ${max}, got ${quoted(value)}`);
  },
  takes: max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${formatCount(min)} to ${formatCount(max)}`,
  json: { type: 'integer', minimum: min, maximum: max },
});

/** A number, fractions included, of `what`. */
export const amount = (what: string, min: number, max: number): Kind<number> => ({
  read(given, origin) {
    const value = numeral(given, origin);
    if (typeof value === 'number' && value >= min && value <= max) return value;
    throw new Refusal(`must be ${what}, from ${min} to ${formatCount(max)}, got ${quoted(value)}`);
  },
  takes: `${min} to ${formatCount(max)}`,
  json: { type: 'number', exclusiveMinimum: 0 },
});

/** A number, or a text with a unit. */
interface Unit {
  parse(text: string): number;
  format(value: number): string;
  examples: string;
  pattern: string;
}

function measure(unit: Unit, min: number, max: number, takes: string): Kind<number, number | string> {
  return {
    read(given, origin) {
      if (origin === 'file' && typeof given !== 'string') {
        throw new Refusal(`must be a string with a unit, such as ${unit.examples}, got ${quoted(given)}`);
      }
      const value = typeof given === 'string' ? unit.parse(given) : given;
      if (typeof value === 'number' && value >= min && value <= max) return Math.ceil(value);
      throw new Refusal(`must be ${unit.format(min)} to ${unit.format(max)}, got ${quoted(given)}`);
    },
    takes,
    json: { type: 'string', pattern: unit.pattern },
  };
}

const DURATION: Unit = {
  parse: parseDuration,
  format: formatDuration,
  examples: '"500ms" or "30s"',
  pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h|d)$`,
};

const SIZE: Unit = {
  parse: parseSize,
  format: formatSize,
  examples: '"512KB" or "128MB"',
  pattern: String.raw`^\d+(\.\d+)?[KkMmGg][Bb]$`,
};

/** Milliseconds. */
export const duration = (min: number): Kind<number, number | string> =>
  measure(DURATION, min, MAX_DURATION_MS, min === 0 ? 'duration' : `duration, from ${min} ms`);

/** Bytes that a thread or a process can do with. */
export const memorySize = measure(SIZE, MIN_HEAP_BYTES, MAX_HEAP_BYTES, 'size, from 16 MB');

const MAX_STARTS = 1_000_000;

/** Tasks in a period: `50/s`, `5/10s`. */
export const starts: Kind<{ tasks: number; periodMs: number }, string> = {
  read(given) {
    const [, tasks, length = '1', unit] = /^(\d+)\/(\d+(?:\.\d+)?)?(ms|s|m|h|d)$/.exec(String(given)) ?? [];
    if (typeof given !== 'string' || unit === undefined) {
      throw new Refusal(`must be tasks in a period, such as 50/s, 600/m or 5/10s, got ${quoted(given)}`);
    }
    const periodMs = parseDuration(length + unit);
    if (Number(tasks) >= 1 && Number(tasks) <= MAX_STARTS && periodMs >= 1 && periodMs <= MAX_DURATION_MS) {
      return { tasks: Number(tasks), periodMs };
    }
    const most = `${formatCount(MAX_STARTS)} tasks in 1ms to ${formatDuration(MAX_DURATION_MS)}`;
    throw new Refusal(`must be 1 to ${most}, got ${quoted(given)}`);
  },
  takes: 'tasks in a period, such as `50/s`, `600/m` or `5/10s`',
  json: { type: 'string', pattern: String.raw`^\d+/(\d+(\.\d+)?)?(ms|s|m|h|d)$` },
};

export const onOff: Kind<boolean> = {
  read(given) {
    if (typeof given === 'boolean') return given;
    throw new Refusal(`must be true or false, got ${quoted(given)}`);
  },
  takes: 'true or false',
  json: { type: 'boolean' },
};

/** @param must what is said of anything else: `must be a file` */
export const text = (must: string, takes: string, offers?: 'file' | 'folder'): Kind<string> => ({
  read(given) {
    if (typeof given === 'string' && given !== '') return given;
    throw new Refusal(must);
  },
  takes,
  json: { type: 'string', minLength: 1 },
  ...(offers && { offers }),
});

export const texts = (must: string, takes: string): Kind<readonly string[]> => ({
  read(given) {
    if (Array.isArray(given) && given.every((each) => typeof each === 'string' && each !== '')) {
      return given as string[];
    }
    throw new Refusal(must);
  },
  takes,
  json: { type: 'array', items: { type: 'string', minLength: 1 } },
});

export const oneOf = <Word extends string>(words: readonly Word[]): Kind<Word> => {
  const most = words.slice(0, -1).join(', ');
  const last = words.at(-1)!;
  return {
    read(given) {
      if ((words as readonly unknown[]).includes(given)) return given as Word;
      const meant = typeof given === 'string' ? didYouMean(given, words) : '';
      throw new Refusal(`must be ${most} or ${last}, got ${quoted(given)}${meant}`);
    },
    takes: `${words
      .slice(0, -1)
      .map((word) => `\`${word}\``)
      .join(', ')} or \`${last}\``,
    json: { enum: [...words] },
    offers: words,
  };
};

export const runId: Kind<string> = {
  read(given) {
    if (typeof given !== 'string') throw new Refusal(`must be a string, got ${quoted(given)}`);
    if (RUN_ID.test(given)) return given;
    throw new Refusal(`${RUN_ID_RULE}; got ${quoted(given)}`);
  },
  takes: 'letters, digits, `.`, `_`, `-`',
  json: { type: 'string', pattern: RUN_ID.source },
  offers: 'run',
};

export const isUrl = (module: string | URL): module is URL =>
  module instanceof URL || /^(file:|[a-z][a-z0-9+.-]*:\/\/)/i.test(module);

/** A module of handlers. */
export const moduleFile: Kind<string | URL> = {
  read(given) {
    if (!(given instanceof URL) && typeof given !== 'string') throw new Refusal('must be a path or a file: URL');
    if (given === '') throw new Refusal('must be a path');
    if (!isUrl(given) || (URL.canParse(String(given)) && new URL(given).protocol === 'file:')) return given;
    throw new Refusal(`must be a path or a file: URL, got ${quoted(given)}`);
  },
  takes: 'path',
  json: { type: 'string', minLength: 1 },
  offers: 'file',
};

/** Where health and metrics are served: a port, or a text as `parseHttpAddress` takes it. */
export const httpAddress: Kind<HttpAddress, number | string> = {
  read: parseHttpAddress,
  takes: '0 to 65,535, or a text such as `0.0.0.0:9090`; a port alone is on loopback',
  json: { type: ['integer', 'string'] },
};
