/**
 * JSON has numbers of any length, JavaScript has doubles: here stands which
 * numbers of a JSON text would come out as others.
 */
import { endOfString } from './depth.js';

/** What `BigInt` keeps. */
export const WHOLE = /^[+-]?\d+$/;

/** toPrecision() gives no more digits. */
const MAX_PRECISION = 100;

/**
 * Whether `given`, a number as JSON or YAML writes it, is another number once
 * it is a double.
 *
 * Not lost is 0.1, though no double is a tenth: it is written as 0.1 again. A
 * whole number is kept if it is written with the same digits again; one with a
 * point or an exponent, if the double has the digits that are given, so that
 * what other languages print of their doubles, such as 0.10000000000000000555, is taken.
 */
export function isLost(given: string): boolean {
  const value = Number(given);
  // Most are: files are full of what a JSON.stringify wrote.
  if (String(value) === given) return false;
  if (Number.isSafeInteger(value) && WHOLE.test(given)) return false;
  if (!Number.isFinite(value)) return true;
  const wanted = decimal(given);
  const length = wanted.digits.length;
  if (length === 0) return false;
  if (value === 0) return true;
  const held = decimal(WHOLE.test(given) ? String(value) : value.toPrecision(Math.min(length, MAX_PRECISION)));
  if (held.exponent !== wanted.exponent) return true;
  if (length <= MAX_PRECISION) return held.digits !== wanted.digits;
  // The last digit is rounded.
  return held.digits.slice(0, MAX_PRECISION - 1) !== wanted.digits.slice(0, MAX_PRECISION - 1);
}

/** The number is 0.`digits` times ten to the power of `exponent`; without sign, and zeros on either side. */
function decimal(text: string): { digits: string; exponent: number } {
  const [, whole, fraction = '', exponent = '0'] = /^[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const all = whole! + fraction;
  let start = 0;
  while (all[start] === '0') start++;
  let end = all.length;
  while (end > start && all[end - 1] === '0') end--;
  return { digits: all.slice(start, end), exponent: Number(exponent) + whole!.length - start };
}

/** A number that may be lost, or lose its sign, has one of these; so may a string. Costs next to nothing for most texts. */
const SUSPICIOUS = /\d[\d.]{15}|[eE][+-]?\d{3}|-0(?:\.0*)?(?![\d.])/;

/** Whether a look at each number of the text is worthwhile. */
export function maybeLost(text: string): boolean {
  return SUSPICIOUS.test(text);
}

/** Shorter ones without an exponent are never lost. */
const MIN_LOST_LENGTH = 16;

/** Calls `visit` for each number of a text that is JSON, the short ones left out. */
export function eachLongNumber(text: string, visit: (given: string, offset: number) => void): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || isDigit(code)) {
      let end = at + 1;
      let hasExponent = false;
      for (; end < text.length; end++) {
        const next = text.charCodeAt(end);
        if (next === UPPER_E || next === LOWER_E) hasExponent = true;
        else if (!isDigit(next) && next !== DOT && next !== MINUS && next !== PLUS) break;
      }
      if (hasExponent || end - at >= MIN_LOST_LENGTH) visit(text.slice(at, end), at);
      at = end - 1;
    }
  }
}

const QUOTE = 34;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const UPPER_E = 69;
const LOWER_E = 101;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Which field of a text that is JSON stands at `offset`: `input.users[3].id`. */
export function pathAt(text: string, offset: number): string {
  /** A level each: the index in an array, the key in an object, as it is written. */
  const levels: (string | number)[] = [];
  let keyComes = false;
  for (let at = 0; at < offset; at++) {
    const character = text[at]!;
    const last = levels.length - 1;
    if (character === '"') {
      const end = endOfString(text, at);
      if (keyComes) levels[last] = text.slice(at, end + 1);
      at = end;
    } else if (character === '{' || character === '[') {
      levels.push(character === '{' ? '' : 0);
      keyComes = character === '{';
    } else if (character === '}' || character === ']') {
      levels.pop();
    } else if (character === ':') {
      keyComes = false;
    } else if (character === ',') {
      const level = levels[last];
      if (typeof level === 'number') levels[last] = level + 1;
      keyComes = typeof level === 'string';
    }
  }
  return pathOf(levels);
}

function pathOf(levels: readonly (string | number)[]): string {
  let path = '';
  for (const level of levels) {
    if (typeof level === 'number') path += `[${level}]`;
    else {
      const key = JSON.parse(level) as string;
      if (/^[\w$-]{1,40}$/.test(key)) path += path === '' ? key : `.${key}`;
      else path += `[${JSON.stringify(key.length > 40 ? `${key.slice(0, 39)}…` : key)}]`;
    }
  }
  return path;
}
