/**
 * Says where a text stops being JSON, and what stands there. `JSON.parse` says
 * it in words that change with the version of Node, for some faults without the place.
 */

/** Blank, then a bracket, a comma, a colon, a string, a number or a word. */
const TOKEN =
  /[ \t\n\r]*([[\]{},:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w))/y;
/** The expression would need a stack as deep as a string is long. */
const MAX_SCANNED = 1_000_000;

const WANTED = {
  value: 'a value',
  firstValue: 'a value or "]"',
  key: 'a field name in double quotes',
  firstKey: 'a field name in double quotes or "}"',
  colon: '":"',
  next: '"," or the closing bracket',
  end: 'the end',
};

export interface JsonFault {
  /** Characters before the fault. */
  offset: number;
  /** `"}" where a field name in double quotes should be` */
  problem: string;
}

/** To be asked only of texts that are not JSON; `undefined` for one of more than a million characters. */
export function jsonFault(text: string): JsonFault | undefined {
  if (text.length > MAX_SCANNED) return undefined;
  const open: string[] = [];
  let state: keyof typeof WANTED = 'value';
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    const next: keyof typeof WANTED | undefined = token === undefined ? undefined : step(state, token, open);
    if (next === undefined) return told(text, at, state);
    state = next;
  }
}

/** What may come after `token`; `undefined` if it may not be here. */
function step(state: keyof typeof WANTED, token: string, open: string[]): keyof typeof WANTED | undefined {
  const close = () => {
    open.pop();
    return open.length === 0 ? 'end' : 'next';
  };
  switch (state) {
    case 'firstKey':
    case 'key':
      if (state === 'firstKey' && token === '}') return close();
      return token.startsWith('"') ? 'colon' : undefined;
    case 'colon':
      return token === ':' ? 'value' : undefined;
    case 'firstValue':
    case 'value':
      if (state === 'firstValue' && token === ']') return close();
      if (token === '{' || token === '[') {
        open.push(token);
        return token === '{' ? 'firstKey' : 'firstValue';
      }
      if (/^[\]},:]/.test(token)) return undefined;
      return open.length === 0 ? 'end' : 'next';
    case 'next':
      if (token === ',') return open.at(-1) === '{' ? 'key' : 'value';
      return token === (open.at(-1) === '{' ? '}' : ']') ? close() : undefined;
    case 'end':
      return undefined;
  }
}

function told(text: string, from: number, state: keyof typeof WANTED): JsonFault {
  const offset = from + /^[ \t\n\r]*/.exec(text.slice(from))![0].length;
  const wanted = `where ${WANTED[state]} should be`;
  if (offset >= text.length) return { offset, problem: `it ends ${wanted}` };
  if (text[offset] === '"' && state !== 'colon' && state !== 'next' && state !== 'end') {
    return { offset, problem: 'a string that does not end, or holds a control character or an unknown escape' };
  }
  const found = /^(?:\w{1,20}|.)/su.exec(text.slice(offset))![0];
  return { offset, problem: `${JSON.stringify(found)} ${wanted}` };
}
