/**
 * Texts that others wrote, as they may be shown on a terminal: what steers one
 * is escaped, `\u001b[2J` for `ESC [2J`. The one place that knows how.
 *
 * Characters that steer: the control characters of ASCII and of Latin-1, by
 * which some terminals are steered too; those that turn the direction of
 * writing, so that a name reads as another one; and the two ends of line that
 * only Unicode knows.
 */
const STEERS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const STEERS_BUT_NEWLINE = new RegExp(STEERS.source.replace('\\u0000-\\u001f', '\\u0000-\\u0009\\u000b-\\u001f'), 'g');

/** The first line of a text, escaped and cut. */
export function printable(text: string, maxCharacters = 200): string {
  const line = text
    .split('\n', 1)[0]!
    .slice(0, maxCharacters + 1)
    .replace(STEERS, escaped);
  return line.length > maxCharacters ? `${line.slice(0, maxCharacters - 1)}…` : line;
}

/** All of a text, escaped: its lines stay lines. JSON text, which itself escapes those of ASCII alone, means the same. */
export function printableLines(text: string): string {
  return text.replace(STEERS_BUT_NEWLINE, escaped);
}

/**
 * The same of lines of JSON. Nearly all of them are ASCII, of which JSON itself escapes
 * all that steers but DEL: to see that takes a tenth of the time.
 */
export function printableJson(text: string): string {
  return Buffer.byteLength(text) === text.length && !text.includes('\u007f') ? text : printableLines(text);
}

/** All of a text, escaped, newlines too. */
export function printableWord(text: string): string {
  return text.replace(STEERS, escaped);
}

/** Strings anywhere in plain data, escaped. */
export function printableData(value: unknown): unknown {
  if (typeof value === 'string') return printableLines(value);
  if (Array.isArray(value)) return value.map(printableData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [printable(key), printableData(below)]));
}

/** As a shell reads it between `$'` and `'`, JSON between quotes. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
