/** How many brackets of a JSON text may be open at once. */
export const MAX_JSON_LEVELS = 64;

const QUOTE = 34;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Where a text opens one level too many, in characters before the bracket;
 * `undefined` if it does not. The text need not be JSON.
 *
 * To be asked before the text is parsed: `JSON.parse` takes any depth, at up to
 * 130 bytes of memory a bracket, but what is made of it breaks all code that
 * walks through values by recursion, ours, V8's and that of handlers.
 */
export function tooDeepAt(text: string): number | undefined {
  // Each level has two brackets: most lines are too short to be looked at.
  if (text.length <= 2 * MAX_JSON_LEVELS) return undefined;
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++level > MAX_JSON_LEVELS) return at;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        level--;
        break;
    }
  }
  return undefined;
}

/** Where the closing quote of the string stands that begins at `start`; the end of the text if it has none. */
export function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
